package demo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// rehearsalRegion is the region that docs/getting-started.md uses.
	rehearsalRegion = "us-west-2"

	environmentFile = "environment"
	authorityFile   = "ca.pem"
)

const emptyWelcome = `Two empty simulated AWS accounts run on %s until this process is stopped: %s (profile owner) and
%s (profile consumer). Each has only an administrator. S3, KMS, IAM, STS and CloudFormation work, and policies are
enforced.

Use them in a shell:

  . %s
  AWS_PROFILE=owner aws sts get-caller-identity

In that shell you can rehearse all of docs/getting-started.md.

` + clients + `
Requests so far, by operation: %[1]s/-/requests
`

const profile = `[{profile}]
aws_access_key_id = {id}
aws_secret_access_key = {secret}
region = {region}
endpoint_url = {endpoint}
{authority}
`

// environment makes the AWS CLI, SDKs and syncd use the two accounts. It removes the credentials
// and endpoints of the user's own accounts, and exempts the endpoint from proxies. It does not set
// AWS_PROFILE, with which the user chooses one of the two accounts. It also sets
// AWS_DEFAULT_REGION, because version 1 of the AWS CLI does not read AWS_REGION.
const environment = `# Shell settings for the two accounts of "syncd demo". Load them with a dot and the path of this file. The shell then reaches only
# these accounts: close it afterwards.
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE AWS_DEFAULT_PROFILE
unset AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_DEFAULT_OUTPUT
for endpoint_of in $(env | sed -n 's/^\(AWS_ENDPOINT_URL_[A-Z0-9_]*\)=.*/\1/p'); do unset "$endpoint_of"; done
export AWS_SHARED_CREDENTIALS_FILE={credentials} AWS_CONFIG_FILE=/dev/null
export AWS_ENDPOINT_URL={endpoint} AWS_EC2_METADATA_DISABLED=true
export AWS_REGION={region} AWS_DEFAULT_REGION={region}
{authority}
export NO_PROXY={host},localhost${NO_PROXY:+,$NO_PROXY}
export no_proxy=$NO_PROXY

# The AWS CLI before 2.13 and 1.29 does not read AWS_ENDPOINT_URL.
case $(command aws --version 2>&1) in
aws-cli/1.[0-9].* | aws-cli/1.1[0-9].* | aws-cli/1.2[0-8].* | aws-cli/2.[0-9].* | aws-cli/2.1[0-2].*)
	aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
	;;
esac
`

// WriteEmpty writes the shell settings for two empty accounts into dir.
func (w *World) WriteEmpty(dir string) error {
	if err := removeFormer(dir); err != nil {
		return err
	}
	return w.WriteAccess(dir, rehearsalRegion)
}

// WriteAccess writes the CA certificate, the profiles and, as the last file, the environment into
// dir.
func (w *World) WriteAccess(dir, region string) error {
	profileAuthority, exportAuthority := "", "unset AWS_CA_BUNDLE"
	if w.Authority != nil {
		path := filepath.Join(dir, authorityFile)
		profileAuthority, exportAuthority = "ca_bundle = "+path+"\n", "export AWS_CA_BUNDLE="+shellQuote(path)
		if err := writeFile(dir, authorityFile, string(w.Authority)); err != nil {
			return err
		}
	}
	fill := func(text string, more ...string) string {
		return strings.NewReplacer(append(more, "{endpoint}", w.Endpoint, "{region}", region)...).Replace(text)
	}
	profiles := fill(profile, "{profile}", "owner", "{id}", w.Owner.AccessKeyID, "{secret}", w.Owner.SecretAccessKey, "{authority}\n", profileAuthority) + "\n" +
		fill(profile, "{profile}", "consumer", "{id}", w.Consumer.AccessKeyID, "{secret}", w.Consumer.SecretAccessKey, "{authority}\n", profileAuthority)
	if err := writeFile(dir, "credentials", profiles); err != nil {
		return err
	}
	return writeFile(dir, environmentFile, fill(environment,
		"{host}", w.host(), "{credentials}", shellQuote(filepath.Join(dir, "credentials")), "{authority}", exportAuthority))
}

// host returns the address of the endpoint without the port.
func (w *World) host() string {
	at, err := url.Parse(w.Endpoint)
	if err != nil {
		panic("BUG: the endpoint is not a URL")
	}
	return at.Hostname()
}

// shellQuote quotes text as one word of a shell.
func shellQuote(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@", r)
	}
	if text != "" && !strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// Secure wraps listener in TLS, with a certificate from a new certificate authority. syncd requires
// TLS here, because the endpoint comes from the environment and not from the configuration.
func (w *World) Secure(listener net.Listener) (net.Listener, error) {
	certificate, authority, err := loopbackCertificate(listener.Addr(), time.Now())
	if err != nil {
		return listener, fmt.Errorf("create certificate: %w", err)
	}
	w.Authority, w.Endpoint = authority, "https://"+listener.Addr().String()
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}), nil
}

// loopbackCertificate returns a certificate for a loopback address and for localhost, and the
// certificate of the authority that signed it, in PEM.
func loopbackCertificate(at net.Addr, now time.Time) (leaf tls.Certificate, authority []byte, err error) {
	authorityKey, errA := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	leafKey, errB := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err := errors.Join(errA, errB); err != nil {
		return leaf, nil, err
	}
	host, _ := os.Hostname() // the name only distinguishes the certificates of several machines
	root := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "syncd demo " + host}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, authorityKey.Public(), authorityKey)
	if err != nil {
		return leaf, nil, err
	}
	if root, err = x509.ParseCertificate(rootDER); err != nil {
		return leaf, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano() + 1), Subject: pkix.Name{CommonName: "localhost"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true,
		DNSNames: []string{"localhost", "*.localhost"}, IPAddresses: []net.IP{at.(*net.TCPAddr).IP}, //nolint:forcetypeassert // Bind listens on TCP
	}, root, leafKey.Public(), authorityKey)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: leafKey}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), err
}
