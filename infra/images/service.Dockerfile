# What runs beside the functions, one stage each: dashboard, connector, sandbox, tools. The layout is the repository's.
#
#   PYTHON      the base image, the functions' own
#   FAMILY      which of shared/requirements/*.txt the service runs with
#   GOOGLE_ADS  the one version of the Google Ads API that stays where its SDK is installed
#
# The secrets build-settings and build-certificates are explained in template/adloom-python/Dockerfile.
ARG PYTHON=python:3.13-slim-trixie

FROM ${PYTHON} AS packages
ARG FAMILY
ARG GOOGLE_ADS=v26
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
COPY requirements/uv.txt /build/
RUN --mount=type=secret,id=build-settings --mount=type=secret,id=build-certificates \
    [ ! -f /run/secrets/build-settings ] || . /run/secrets/build-settings \
 && python3 -m venv /build/uv \
 && /build/uv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r /build/uv.txt
COPY requirements/${FAMILY}.txt /build/requirements.txt
RUN --mount=type=secret,id=build-settings --mount=type=secret,id=build-certificates --mount=type=cache,target=/root/.cache/uv \
    [ ! -f /run/secrets/build-settings ] || . /run/secrets/build-settings \
 && python3 -m venv --without-pip /opt/adloom \
 && /build/uv/bin/uv pip install --python /opt/adloom/bin/python --require-hashes -r /build/requirements.txt
COPY slim.py /build/
RUN python3 /build/slim.py packages /opt/adloom --google-ads "${GOOGLE_ADS}"

FROM ${PYTHON} AS code
COPY slim.py /build/
COPY app /home/app
RUN python3 /build/slim.py compile /home/app

FROM ${PYTHON} AS service
COPY slim.py /tmp/
RUN python3 /tmp/slim.py base && rm /tmp/slim.py \
 && groupadd --gid 10001 app \
 && useradd --uid 10001 --gid app --no-create-home --home-dir /tmp --shell /usr/sbin/nologin app \
 && mkdir /home/app
WORKDIR /home/app
ENV PATH=/opt/adloom/bin:$PATH PYTHONPATH=/home/app:/home/app/shared PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HOME=/tmp
USER 10001:10001
STOPSIGNAL SIGTERM
COPY --from=packages /opt/adloom /opt/adloom
COPY --from=code /home/app /home/app

FROM service AS dashboard
ENV ADLOOM_DASHBOARD_HOST=0.0.0.0 ADLOOM_DASHBOARD_PORT=8080 NICEGUI_STORAGE_PATH=/tmp/nicegui
EXPOSE 8080
CMD ["python", "-m", "ui.main"]

FROM service AS connector
EXPOSE 8095
CMD ["python", "-m", "infra.connector"]

FROM service AS sandbox
ENV ADLOOM_SANDBOX_PORT=8090 ADLOOM_SANDBOX_HOME=/tmp/sandbox
# A volume that is mounted here takes this owner.
USER root
RUN install -d -o app -g app -m 0700 /data
USER 10001:10001
EXPOSE 8090
CMD ["python", "-m", "infra.sandbox"]

# The command line, and what runs once: `adloom ...`, `python -m infra.deployment.migrate`.
FROM service AS tools
USER root
RUN printf '#!/bin/sh\nexec python -m adloom.cli "$@"\n' > /usr/local/bin/adloom && chmod 755 /usr/local/bin/adloom
USER 10001:10001
CMD ["adloom", "--help"]
