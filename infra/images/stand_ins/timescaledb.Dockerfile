# Stands in for timescale/timescaledb:2.29.2-pg17 with what Debian has: PostgreSQL 17 and TimescaleDB's Apache edition.
ARG DEBIAN
FROM ${DEBIAN}
# The user of the image that this stands for, so that its volumes fit.
RUN --mount=type=secret,id=build-settings --mount=type=secret,id=build-certificates \
    --mount=type=secret,id=build-apt --mount=type=secret,id=build-sources \
    [ ! -f /run/secrets/build-settings ] || . /run/secrets/build-settings; \
    groupadd --gid 70 postgres \
 && useradd --uid 70 --gid postgres --home-dir /var/lib/postgresql --shell /bin/sh postgres \
 && apt-get update --quiet=2 \
 && mkdir -p /etc/postgresql-common \
 && echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet=2 --no-install-recommends \
        -o Dpkg::Options::=--force-confold postgresql-17 postgresql-17-timescaledb \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log \
 && rm -rf /var/lib/postgresql/data /docker-entrypoint-initdb.d \
 && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data \
 && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
 && install -d /docker-entrypoint-initdb.d
COPY --chmod=755 timescaledb-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PATH=/usr/lib/postgresql/17/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    PGDATA=/var/lib/postgresql/data LANG=C.UTF-8
STOPSIGNAL SIGINT
EXPOSE 5432
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
