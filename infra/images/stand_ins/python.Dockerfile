# Stands in for python:3.13-slim-trixie.
ARG DEBIAN
FROM ${DEBIAN}
RUN --mount=type=secret,id=build-settings --mount=type=secret,id=build-certificates \
    --mount=type=secret,id=build-apt --mount=type=secret,id=build-sources \
    [ ! -f /run/secrets/build-settings ] || . /run/secrets/build-settings; \
    apt-get update --quiet=2 \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends netbase python3 python3-venv tzdata \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && ln -s /usr/bin/python3 /usr/local/bin/python
CMD ["python3"]
