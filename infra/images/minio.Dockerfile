# MinIO, which is published as source alone: built with Go from the module proxy, six minutes on two cores.
#
#   GO     the image to build in; GO >= 1.24
#   MINIO  the version, as Go names it
#
# The secrets build-settings and build-certificates are explained in template/adloom-python/Dockerfile.
ARG GO=golang:1.24-trixie

FROM ${GO} AS build
ARG MINIO=v0.0.0-20260212201848-7aac2a2c5b7c
ENV GOTOOLCHAIN=local CGO_ENABLED=0
RUN --mount=type=secret,id=build-settings --mount=type=secret,id=build-certificates \
    --mount=type=cache,target=/go/pkg --mount=type=cache,target=/root/.cache/go-build \
    [ ! -f /run/secrets/build-settings ] || . /run/secrets/build-settings; \
    go install -trimpath -ldflags "-s -w" github.com/minio/minio@${MINIO}
# A new volume takes the owner of the folder that it covers.
RUN mkdir -p /made/data /made/tmp /made/usr/bin /made/etc/ssl/certs \
 && chown 10001:10001 /made/data && chmod 1777 /made/tmp \
 && cp /etc/ssl/certs/ca-certificates.crt /made/etc/ssl/certs/ \
 && cp /go/bin/minio /made/usr/bin/

FROM scratch
COPY --from=build /made /
USER 10001:10001
ENV HOME=/tmp
EXPOSE 9000
ENTRYPOINT ["/usr/bin/minio"]
CMD ["server", "/data", "--address", ":9000"]
