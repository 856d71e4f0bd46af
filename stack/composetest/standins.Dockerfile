# What standins.sh builds; see there.
FROM craftista-standin AS golang
# With this machine's certificate authorities: the way to its registry of modules may need them.
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY go /usr/local/go
ENV PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin GOPATH=/go GOTOOLCHAIN=local

FROM craftista-standin AS postgres
ENV PATH=/usr/lib/postgresql/17/bin:/usr/sbin:/usr/bin:/sbin:/bin PGDATA=/var/lib/postgresql/data
RUN mkdir -p $PGDATA && chown postgres $PGDATA && chmod 1777 $PGDATA
COPY postgres-entrypoint.sh /
ENTRYPOINT ["/postgres-entrypoint.sh"]
STOPSIGNAL SIGINT
CMD ["postgres"]

FROM craftista-standin AS redis
USER redis
WORKDIR /tmp
CMD ["redis-server"]

FROM craftista-standin AS caddy
COPY bin/caddy /usr/bin/caddy
ENV XDG_CONFIG_HOME=/config XDG_DATA_HOME=/data
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]

FROM scratch AS collector
COPY bin/otelcol /otelcol
USER 10001
ENTRYPOINT ["/otelcol"]
CMD ["--config", "/etc/otelcol/config.yaml"]

FROM craftista-standin AS mailpit
COPY bin/mailpit /mailpit
ENTRYPOINT ["/mailpit"]

FROM craftista-standin AS jaeger
COPY bin/jaeger /cmd/jaeger/jaeger-linux
ENV JAEGER_LISTEN_HOST=0.0.0.0
USER 10001
ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]

FROM craftista-standin AS prometheus
COPY bin/prometheus bin/promtool /bin/
RUN mkdir -p /prometheus && chown nobody /prometheus
USER nobody
WORKDIR /prometheus
ENTRYPOINT ["/bin/prometheus"]

FROM craftista-standin AS grafana
RUN mkdir -p /srv/api && echo ok >/srv/api/health
USER nobody
ENTRYPOINT ["sh", "-c", "trap exit TERM; busybox httpd -f -p 3000 -h /srv & wait"]
