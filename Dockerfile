# Pin the builder by digest where images are released: --build-arg GO_IMAGE=golang:1.26@sha256:...
ARG GO_IMAGE=golang:1.26

FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
# .git comes along: the version that the binary reports is read from it.
COPY . .
ARG TARGETOS TARGETARCH
RUN CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags '-s -w' -o /out/syncd ./cmd/syncd \
 && mkdir -m 0700 /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/syncd /syncd
# A new volume takes owner and mode from here, so that the unprivileged user can write to it.
COPY --from=build --chown=65532:65532 /out/state /var/lib/syncd
VOLUME ["/var/lib/syncd"]
USER 65532:65532
EXPOSE 9090
ARG VERSION=dev REVISION=unknown SOURCE=unknown
LABEL org.opencontainers.image.title="syncd" \
      org.opencontainers.image.description="Keeps a copy of another AWS account's bucket under your own KMS key" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.source="$SOURCE"
# It asks where http.listen of this file says. For a file elsewhere Compose, ECS and Kubernetes take a check of their own in
# this form; a container that runs a pass instead of the daemon has nobody to ask: docker run --no-healthcheck.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/syncd", "healthcheck", "--config", "/etc/syncd/syncd.yaml"]
ENTRYPOINT ["/syncd"]
CMD ["run", "--config", "/etc/syncd/syncd.yaml"]
