# Stands in for nats:2.15.1: the server and nothing else.
FROM scratch
COPY --chmod=755 nats-server /nats-server
EXPOSE 4222 8222 6222
ENTRYPOINT ["/nats-server"]
