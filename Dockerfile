# syntax=docker/dockerfile:1

# The binary holds all it needs: the page, SQLite, the migrations. What is added
# to an empty image are the certificates with which to trust an ACME server.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG VERSION=
ARG COMMIT=
ARG DATE=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags="-s -w -X parley/internal/cli.version=${VERSION} -X parley/internal/cli.commit=${COMMIT} -X parley/internal/cli.date=${DATE}" -o /out/parley . \
    && install -d -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/parley /parley
# A volume takes over the owner of the folder that it is first mounted on.
COPY --from=build --chown=10001:10001 /out/data /data
USER 10001:10001
# SQLite's temporary files have no other place here.
ENV PARLEY_DATA=/data PARLEY_LOG_FORMAT=json TMPDIR=/data
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=6s --start-period=10s --retries=3 CMD ["/parley", "health"]
ENTRYPOINT ["/parley"]
CMD ["serve"]
