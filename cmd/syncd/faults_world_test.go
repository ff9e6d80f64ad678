package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"syncd/internal/awsfake"
	"syncd/internal/creds"
	"syncd/internal/demo"
	"syncd/internal/exit"
	"syncd/internal/iam"
	"syncd/internal/invocation"
)

// outer is the environment of the program: three accounts behind the real host names of AWS, and a
// network that leads to them. The network consists of pipes, so that it works in a synctest bubble.
// A fault changes one part of the environment.
type outer struct {
	*demo.World
	t       *testing.T
	hub     *awsfake.Role
	state   *awsfake.Bucket
	handler http.Handler            // answers requests to the host names of AWS
	config  string                  // text of the configuration
	env     map[string]string       // environment variables of the process
	ambient aws.CredentialsProvider // nil: credentials from the environment

	dial        func(address string) (net.Conn, error) // nil if the network works
	proxy       *url.URL
	connect     func(http.ResponseWriter, *http.Request) bool // answers CONNECT requests; nil accepts them
	certificate tls.Certificate
	roots       *x509.CertPool
	plain       bool // the server does not speak TLS

	mu    sync.Mutex
	conns []net.Conn
}

const (
	outerState = "consumer-state"
	outerHub   = "data-access"
	governance = "333333333333"
)

// outerConfig is a configuration with every part that can fail, including a chain of roles and an
// external id from the environment. onS3 changes it so that the state is on S3.
const outerConfig = `state: "file:{dir}/state"
log: {format: text}

roles:
  hub: {arn: "arn:aws:iam::333333333333:role/data-access", external_id: none}
  consumer:
    arn: arn:aws:iam::222222222222:role/syncd-consumer
    via: hub
    external_id: {env: EXTERNAL_ID}

mappings:
  - name: owner-to-consumer
    source: {bucket: owner-data, region: us-east-1, account: "111111111111", role: consumer}
    destination: {bucket: consumer-copy, region: us-east-1, account: "222222222222", role: consumer, kms_key: "{consumer-key}"}
    copy: {concurrency: 1}
`

func newOuter(t *testing.T) *outer {
	t.Helper()
	o := &outer{World: demo.NewWorld(time.Now), t: t, config: outerConfig, env: map[string]string{"EXTERNAL_ID": demo.ExternalID}}
	o.handler = o.Cloud
	o.signs(o.Consumer.AccessKeyID, o.Consumer.SecretAccessKey)
	o.hub = o.Cloud.Account(governance).CreateRole(outerHub, trusting(o.Consumer.ARN), awsfake.RoleOptions{})
	o.hub.SetPolicies(everything("sts:*"))
	o.Cloud.Account(demo.Consumer).CreateUser("unused")
	o.Role.SetTrust(trustedWith(o.hub.ARN, demo.ExternalID))
	o.state = o.Cloud.Account(demo.Consumer).CreateBucket(outerState, demo.Region, awsfake.BucketOptions{})
	for _, key := range []string{"a", "b", "c"} {
		o.Source.Put(key, awsfake.BytesBody([]byte(key)), awsfake.PutOptions{})
	}
	o.roots = x509.NewCertPool()
	o.certificate = o.certify(leaf())
	return o
}

func everything(action string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`)
}

// trustedWith returns a trust policy that allows a principal to assume the role with an external
// id.
func trustedWith(arn, externalID string) *iam.Document {
	return iam.MustParse(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + arn + `"},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"sts:ExternalId":"` + externalID + `"}}}]}`)
}

// leaf returns a certificate for AWS's host names.
func leaf() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "aws"},
		DNSNames:  []string{"s3.us-east-1.amazonaws.com", "*.s3.us-east-1.amazonaws.com", "*.s3.eu-west-1.amazonaws.com", "sts.us-east-1.amazonaws.com", "sts.eu-west-1.amazonaws.com", "store.corp"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// certify signs a certificate with a new authority, which the program trusts.
func (o *outer) certify(of *x509.Certificate) tls.Certificate {
	o.t.Helper()
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(1000 * time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		o.t.Fatal(err)
	}
	signed, err := x509.CreateCertificate(rand.Reader, authority, authority, key.Public(), key)
	if err != nil {
		o.t.Fatal(err)
	}
	if authority, err = x509.ParseCertificate(signed); err != nil {
		o.t.Fatal(err)
	}
	o.roots.AddCert(authority)
	der, err := x509.CreateCertificate(rand.Reader, of, authority, key.Public(), key)
	if err != nil {
		o.t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// process returns the process of the program in this environment.
func (o *outer) process(stdout, stderr io.Writer) invocation.Process {
	return invocation.Process{
		Stdout: stdout, Stderr: stderr, ReadFile: os.ReadFile, Now: time.Now, Ambient: o.ambient, Shared: new(creds.Shared),
		LookupEnv: func(name string) (string, bool) {
			value, ok := o.env[name]
			return value, ok
		},
		Tune: func(transport *http.Transport) {
			transport.DialContext = func(_ context.Context, _, address string) (net.Conn, error) { return o.reach(address) }
			transport.TLSClientConfig = &tls.Config{RootCAs: o.roots, MinVersion: tls.VersionTLS12}
			transport.ForceAttemptHTTP2 = false
			transport.Proxy = nil
			if o.proxy != nil {
				transport.Proxy = http.ProxyURL(o.proxy)
			}
		},
	}
}

// run runs a command line as main does, but handles no signals. It returns the outcome and how long
// the command took.
func (o *outer) run(dir string, args ...string) (outcome, time.Duration) {
	o.t.Helper()
	file := filepath.Join(dir, "syncd.yaml")
	if err := os.WriteFile(file, []byte(o.Render(o.config, dir)), 0o600); err != nil {
		o.t.Fatal(err)
	}
	var stdout, stderr lockedBuffer
	p, began := o.process(&stdout, &stderr), time.Now()
	err := execute(o.t.Context(), append(args, "--config", file), p)
	if err != nil {
		exit.Print(&stderr, err)
	}
	took := time.Since(began)
	o.hangUp()
	time.Sleep(time.Hour) // pending connections and timers have ended by then
	return outcome{exit.Code(err), stdout.String(), stderr.String()}, took
}

// reach opens a connection of the program to an address.
func (o *outer) reach(address string) (net.Conn, error) {
	if o.dial != nil {
		if conn, err := o.dial(address); conn != nil || err != nil {
			return conn, err
		}
	}
	here, pipe := net.Pipe()
	there := buffer(pipe)
	o.mu.Lock()
	o.conns = append(o.conns, there)
	o.mu.Unlock()
	if o.proxy != nil {
		go o.tunnel(there)
	} else {
		go o.serve(there, o.plain || strings.HasSuffix(address, ":80"))
	}
	return here, nil
}

// hangUp closes all connections.
func (o *outer) hangUp() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, conn := range o.conns {
		_ = conn.Close()
	}
	o.conns = nil
}

// serve serves one connection until it is closed.
func (o *outer) serve(conn net.Conn, plain bool) {
	if !plain {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{o.certificate}, MinVersion: tls.VersionTLS12})
	}
	accepted := make(chan net.Conn, 1)
	accepted <- conn
	server := &http.Server{Handler: o.handler, ReadHeaderTimeout: time.Hour}
	listener := &pipeListener{accepted: accepted, done: make(chan struct{})}
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			listener.end.Do(func() { close(listener.done) })
		}
	}
	server.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	_ = server.Serve(listener)
}

// tunnel serves one connection as a proxy.
func (o *outer) tunnel(conn net.Conn) {
	reader := bufio.NewReader(conn)
	request, err := http.ReadRequest(reader)
	if err != nil {
		_ = conn.Close()
		return
	}
	if request.Method != http.MethodConnect || o.connect != nil {
		answer := &http.Response{ProtoMajor: 1, ProtoMinor: 1, Request: request, StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/html"}}, Close: true}
		recorder := &recorded{header: answer.Header}
		if o.connect(recorder, request) {
			answer.StatusCode, answer.Body, answer.ContentLength = recorder.status, io.NopCloser(strings.NewReader(recorder.text.String())), int64(recorder.text.Len())
			_ = answer.Write(conn)
			_ = conn.Close()
			return
		}
	}
	if _, err := io.WriteString(conn, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	o.serve(conn, false)
}

// recorded is a recorded response.
type recorded struct {
	header http.Header
	status int
	text   strings.Builder
}

func (r *recorded) Header() http.Header { return r.header }

func (r *recorded) WriteHeader(status int) { r.status = status }

func (r *recorded) Write(p []byte) (int, error) { return r.text.Write(p) }

// buffered is an end of a pipe whose writes do not wait for the reader, as on a socket. In a TLS
// handshake, both ends can write at the same time.
type buffered struct {
	net.Conn

	mu      sync.Mutex
	written chan []byte // nil once it is closed
}

func buffer(conn net.Conn) net.Conn {
	written := make(chan []byte, 1<<12)
	go func() {
		for p := range written {
			_, _ = conn.Write(p)
		}
		_ = conn.Close()
	}()
	return &buffered{Conn: conn, written: written}
}

func (b *buffered) Write(p []byte) (n int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written == nil {
		return 0, net.ErrClosed
	}
	b.written <- bytes.Clone(p)
	return len(p), nil
}

func (b *buffered) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written != nil {
		close(b.written)
		b.written = nil
	}
	return nil
}

// pipeListener accepts one connection.
type pipeListener struct {
	accepted chan net.Conn
	done     chan struct{}
	end      sync.Once
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.accepted:
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.end.Do(func() { close(l.done) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

// Connections that fail.

func failsWith(err error) func(string) (net.Conn, error) {
	return func(string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err}
	}
}

func unknownName(isNotFound bool) func(string) (net.Conn, error) {
	return func(address string) (net.Conn, error) {
		host, _, _ := net.SplitHostPort(address)
		failed := &net.DNSError{Err: "no such host", Name: host, IsNotFound: isNotFound}
		if !isNotFound {
			failed.Err, failed.IsTemporary = "server misbehaving", true
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: failed}
	}
}

// noRoute fails as dialing does when the operating system gives up an attempt to connect: after a
// wait, with a timeout error.
func noRoute(string) (net.Conn, error) {
	time.Sleep(10 * time.Second)
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.ErrDeadlineExceeded}
}

// resets returns a connection that the server resets at the first read or write.
func resets(string) (net.Conn, error) { return resetConn{}, nil }

type resetConn struct{ net.Conn }

func (resetConn) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}
func (resetConn) Write(p []byte) (int, error)      { return len(p), nil }
func (resetConn) Close() error                     { return nil }
func (resetConn) SetDeadline(time.Time) error      { return nil }
func (resetConn) SetReadDeadline(time.Time) error  { return nil }
func (resetConn) SetWriteDeadline(time.Time) error { return nil }
func (resetConn) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (resetConn) RemoteAddr() net.Addr             { return &net.TCPAddr{} }

// Servers that answer in place of AWS.

// pageOf answers every request with an HTML page.
func pageOf(status int, header http.Header) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writePage(w, status, header) })
}

func writePage(w http.ResponseWriter, status int, header http.Header) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	maps.Copy(w.Header(), header)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<html><head><title>"+http.StatusText(status)+"</title></head><body><p>Ask your administrator.</p></body></html>")
}

// mute never answers.
func mute(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // the server notices the end of the connection only after the body is read
	<-r.Context().Done()
}

// says makes one service refuse all requests with an error.
func (o *outer) says(service, code, message string) {
	next := o.handler
	o.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isSTS := strings.Contains(r.Header.Get("Authorization"), "/sts/")
		if service != "" && isSTS != (service == "sts") {
			next.ServeHTTP(w, r)
			return
		}
		body := "<Error><Code>" + code + "</Code><Message>" + message + "</Message><RequestId>R</RequestId></Error>"
		if w.Header().Set("X-Amz-Request-Id", "0123456789ABCDEF"); isSTS {
			body = "<ErrorResponse>" + body + "</ErrorResponse>"
			w.Header().Set("X-Amzn-Requestid", "0123456789abcdef")
		}
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, body)
	})
}

// onS3 changes the configuration so that the state is on S3.
func (o *outer) onS3() {
	o.t.Helper()
	o.edit(`"file:{dir}/state"`, "s3://consumer-state/syncd/\ncheckpoint: {account: \"222222222222\", region: us-east-1}")
}

// container makes the program get its credentials from the metadata endpoint of a container.
func (o *outer) container() {
	o.signs("", "")
	o.t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")
}

// elsewhere moves the mapping to another S3 service.
func (o *outer) elsewhere() {
	o.t.Helper()
	o.edit("log:", "aws: {endpoint_url: \"https://store.corp\", path_style: true}\nlog:")
}

// edit changes the text of the configuration.
func (o *outer) edit(old, replacement string) {
	o.t.Helper()
	if !strings.Contains(o.config, old) {
		o.t.Fatalf("the configuration has no %q", old)
	}
	o.config = strings.Replace(o.config, old, replacement, 1)
}

// gaveUp is the error of the SDK when its own deadline for EC2 metadata expires.
func gaveUp(context.Context) (aws.Credentials, error) {
	return aws.Credentials{}, &smithy.OperationError{ServiceID: "ec2imds", OperationName: "GetMetadata", Err: &smithy.CanceledError{Err: context.DeadlineExceeded}}
}

// signs puts access keys into the environment.
func (o *outer) signs(id, secret string) {
	o.t.Setenv("AWS_ACCESS_KEY_ID", id)
	o.t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
}
