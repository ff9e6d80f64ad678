package awsname

import (
	"net/netip"
	"regexp"
	"strings"

	"syncd/internal/ascii"
)

// accessPointAlias is the suffix of access point aliases. An alias can replace a bucket name in
// requests, but not in policies ("Access points for general purpose buckets aliases", Amazon S3
// User Guide).
const accessPointAlias = "-s3alias"

// IsAlias reports whether a bucket name is an access point alias.
func IsAlias(bucket string) bool { return strings.HasSuffix(bucket, accessPointAlias) }

// The kinds of S3 resources that syncd cannot copy from, recognized by the name or the ARN. Each
// text is the problem in an error message.
const (
	DirectoryPoint   = "is an access point of a directory bucket (S3 Express), whose listings are not sorted by key"
	ObjectLambda     = "is an Object Lambda access point, which changes objects as they are read: they do not match the listed sizes and ETags"
	TableBucket      = "is a table bucket (S3 Tables): it holds tables, not objects to copy"
	Outpost          = "is an access point of S3 on Outposts, which does not support copying to a Region"
	MultiRegionPoint = "is a Multi-Region Access Point, which does not support copying: each request may be routed to a different bucket"

	directoryBucket = "is a directory bucket (S3 Express), whose listings are not sorted by key"
	fileSystemPoint = "is the alias of an access point of a file system, which does not support copying to a bucket"
)

// ReservedName returns why a name that S3 reserves is not a bucket to copy from or to, or "". The
// suffixes are from "General purpose bucket naming rules" and the pages about the other kinds
// (Amazon S3 User Guide).
func ReservedName(bucket string) string {
	for _, r := range [][2]string{
		{"--x-s3", directoryBucket},
		{"--xa-s3", DirectoryPoint},
		{"--ol-s3", ObjectLambda},
		{"--op-s3", Outpost},
		{"--table-s3", TableBucket},
		{"-ext" + accessPointAlias, fileSystemPoint},
		{".mrap", MultiRegionPoint},
	} {
		if strings.HasSuffix(bucket, r[0]) {
			return r[1]
		}
	}
	return ""
}

// ReservedPrefix returns a problem if the name begins with a prefix that AWS reserves, or "".
// Services other than AWS allow such bucket names.
func ReservedPrefix(bucket string) string {
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(bucket, prefix) {
			return "begins with " + prefix + ", which S3 reserves: no such bucket can exist"
		}
	}
	return ""
}

// placeholder matches a word such as SOURCE_BUCKET, which is not a valid bucket name.
var placeholder = regexp.MustCompile(`^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$`)

// CheckBucket returns what is wrong with a bucket name, or "". It applies the naming rules for
// general purpose buckets that matter to requests (Amazon S3 User Guide, "General purpose bucket
// naming rules").
func CheckBucket(s string) string {
	switch {
	case len(s) < 3 || len(s) > 63:
		return "is not 3 to 63 characters long"
	case placeholder.MatchString(s):
		return "is a placeholder that was not filled in"
	case !ascii.Word(s, ".-") || s != strings.ToLower(s):
		return "contains a character other than a-z, 0-9, dots and hyphens"
	case strings.ContainsAny(s[:1]+s[len(s)-1:], ".-"):
		return "does not begin and end with a letter or digit"
	case strings.Contains(s, ".."):
		return "contains two dots in a row"
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return "is an IP address"
	}
	return ReservedName(s)
}
