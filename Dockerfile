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
    go build -trimpath -ldflags "-s -w" -o /out/syncd ./cmd/syncd \
 && mkdir -m 0700 /out/state

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/syncd /syncd
# A new volume takes owner and mode from here, so that the unprivileged user can write to it.
COPY --from=build --chown=65532:65532 /out/state /var/lib/syncd
VOLUME ["/var/lib/syncd"]
USER 65532:65532
EXPOSE 9090
ENTRYPOINT ["/syncd"]
CMD ["run", "--config", "/etc/syncd/syncd.yaml"]
