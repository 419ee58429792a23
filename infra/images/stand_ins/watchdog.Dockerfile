# Stands in for ghcr.io/openfaas/of-watchdog:0.11.5: one program.
FROM scratch
COPY --chmod=755 fwatchdog /fwatchdog
