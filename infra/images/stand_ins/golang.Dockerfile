# Stands in for golang:1.24-trixie, without a C compiler.
ARG DEBIAN
FROM ${DEBIAN}
RUN --mount=type=secret,id=build-settings --mount=type=secret,id=build-certificates \
    --mount=type=secret,id=build-apt --mount=type=secret,id=build-sources \
    [ ! -f /run/secrets/build-settings ] || . /run/secrets/build-settings; \
    apt-get update --quiet=2 \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends golang-1.24-go \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
ENV GOPATH=/go PATH=/go/bin:/usr/lib/go-1.24/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin GOTOOLCHAIN=local
WORKDIR /go
