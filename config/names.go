package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"syncd/internal/endpoint"
)

// spelled reports whether s is not empty and holds only ASCII letters, digits and the extra characters.
func spelled(s, extra string) bool {
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(extra, r)
	}
	return s != "" && !strings.ContainsFunc(s, other)
}

// isDigits reports whether s is n decimal digits.
func isDigits(s string, n int) bool {
	return len(s) == n && !strings.ContainsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

// isMappingName reports whether s may name a mapping: it becomes a metric label and a part of the ledger's keys.
func isMappingName(s string) bool {
	return len(s) <= 63 && spelled(s, "-") && s == strings.ToLower(s) && s[0] != '-'
}

// isRoleName reports whether s may name a role of the file.
func isRoleName(s string) bool { return len(s) <= 63 && spelled(s, "_-") }

// checkBucket applies the rules for names of general purpose buckets (Amazon S3 User Guide, "General purpose bucket
// naming rules") that a request can depend on; it says what is wrong with s, or nothing.
func checkBucket(s string) string {
	switch {
	case len(s) < 3 || len(s) > 63:
		return "is not 3 to 63 characters long"
	case placeholderWord.MatchString(s):
		return "is a placeholder that was not filled in"
	case !spelled(s, ".-") || s != strings.ToLower(s):
		return "holds a character other than a-z, 0-9, dots and hyphens"
	case strings.ContainsAny(s[:1]+s[len(s)-1:], ".-"):
		return "does not begin and end with a letter or digit"
	case strings.Contains(s, ".."):
		return "holds two dots in a row"
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return "is an IP address"
	}
	return reservedName(s)
}

// isRegion reports whether s has the form of a region's code, as us-west-2 and us-gov-east-1 do.
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	last := len(parts) - 1
	if last < 2 || !spelled(strings.Join(parts, ""), "") || s != strings.ToLower(s) {
		return false
	}
	for i, p := range parts {
		if p == "" || (i == last) != isDigits(p, len(p)) {
			return false
		}
	}
	return true
}

// arn is an Amazon Resource Name.
type arn struct{ partition, service, region, account, resource string }

// parseARN splits arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE; every partition is called aws or aws-SOMETHING.
func parseARN(s string) (arn, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] != "aws" && !strings.HasPrefix(p[1], "aws-") || !spelled(p[1], "-") {
		return arn{}, false
	}
	return arn{p[1], p[2], p[3], p[4], p[5]}, true
}

// isRoleARN reports whether s is the ARN of an IAM role, with or without a path (IAM User Guide, "IAM identifiers").
func isRoleARN(s string) bool {
	a, ok := parseARN(s)
	path, isRole := strings.CutPrefix(a.resource, "role/")
	name := path[strings.LastIndex(path, "/")+1:]
	return ok && isRole && a.service == "iam" && a.region == "" && isDigits(a.account, 12) &&
		len(name) <= 64 && spelled(name, "_+=,.@-") && !strings.ContainsAny(path, " *?")
}

// checkEndpoint says what is wrong with a base URL, or nothing. Its callers must not print the URL: it might hold a
// password.
func checkEndpoint(s string) string {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "is not an absolute http or https URL"
	case u.User != nil:
		return "holds a user name or password"
	case u.RawQuery != "" || u.Fragment != "":
		return "holds a query or fragment"
	case strings.ContainsFunc(u.Host, func(r rune) bool { return r > unicode.MaxASCII }):
		return "holds a host that is not ASCII: write its form in Punycode"
	case !isPort(u.Port()):
		return "holds a port that is none"
	case endpoint.NamesBucket(u):
		return "names a bucket: S3's endpoints have neither a bucket before their host nor a path"
	}
	return ""
}

// endpointHint is a hint at a URL without its scheme, "" where that is not what is wrong or where something secret may be in it.
func endpointHint(s string) string {
	if strings.Contains(s, "://") || strings.ContainsAny(s, "@?# ") || checkEndpoint("https://"+s) != "" || !strings.Contains(s, ".") {
		return ""
	}
	return "did you mean https://" + s + "?"
}

// isPort reports whether s is a port to connect to, or none.
func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

// isAddress reports whether the host of a URL is an IP address.
func isAddress(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	if err != nil {
		return false
	}
	_, err = netip.ParseAddr(u.Hostname())
	return err == nil
}

// isListen reports whether s is HOST:PORT or :PORT with a numeric port, and a host that may be an address or a name.
func isListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return false
	}
	_, err = netip.ParseAddr(host)
	return host == "" || err == nil || hostName.MatchString(host) && !looksNumeric(host)
}

// looksNumeric reports whether a host can only have been meant as an IPv4 address: no top-level domain is a number (RFC 3696, section 2).
func looksNumeric(host string) bool {
	last := host[strings.LastIndex(host, ".")+1:]
	return isDigits(last, len(last))
}

// isLoopback reports whether an address to listen on is reached from this machine alone.
func isLoopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	return err == nil && isLoopbackHost(strings.ToLower(host))
}

// isLoopbackHost accepts the hosts that net/http never sends to a proxy ([net/http.ProxyFromEnvironment]), which knows localhost in
// lower case only.
func isLoopbackHost(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Exposed reports whether what is sent to an endpoint URL crosses the network without TLS.
func Exposed(endpointURL string) bool {
	u, err := url.Parse(endpointURL)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !isLoopbackHost(u.Hostname())
}

// isEnvName reports whether s may name an environment variable (POSIX.1-2017, 8.1).
func isEnvName(s string) bool {
	return spelled(s, "_") && !isDigits(s[:1], 1)
}

// Location is where state lives: a folder, or a prefix of an S3 bucket.
type Location struct {
	// Dir is the folder, empty for S3.
	Dir string
	// Bucket and Prefix say where in S3; Prefix is empty or ends in a slash.
	Bucket, Prefix string
}

// ParseLocation reads the text of Config.State: file:PATH, file:///PATH, s3://BUCKET or s3://BUCKET/PREFIX/.
func ParseLocation(text string) (Location, error) {
	if dir, ok := strings.CutPrefix(text, "file:"); ok {
		return parseFolder(dir)
	}
	rest, ok := strings.CutPrefix(text, "s3://")
	if !ok {
		return Location{}, &valueError{strconv.Quote(text) + " is neither a folder nor an S3 location", "use file:PATH or s3://BUCKET/PREFIX/"}
	}
	if isARN(rest) {
		return Location{}, &valueError{strconv.Quote(rest) + " is not the name of a bucket", "use s3://BUCKET/PREFIX/"}
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if problem := checkBucket(bucket); problem != "" {
		return Location{}, &valueError{"bucket " + strconv.Quote(bucket) + " " + problem, "use s3://BUCKET/PREFIX/"}
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return Location{}, &valueError{"prefix " + strconv.Quote(prefix) + " does not end in a slash", "end it with /"}
	}
	return Location{Bucket: bucket, Prefix: prefix}, nil
}

func parseFolder(dir string) (Location, error) {
	if rest, ok := strings.CutPrefix(dir, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return Location{}, &valueError{"names a host", "use file:PATH, or file:///PATH with three slashes"}
		}
		dir = rest
	}
	if dir == "" || strings.ContainsRune(dir, 0) {
		return Location{}, &valueError{"names no folder", "use file:PATH"}
	}
	return Location{Dir: dir}, nil
}
