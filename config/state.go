package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/hint"
)

// Location is the parsed form of Config.State: a folder, or a prefix of an S3 bucket.
// [Config.StatePlace] adds the region, the account and the endpoint of the bucket.
type Location struct {
	// Dir is the folder, empty for S3.
	Dir string
	// Bucket and Prefix are the location in S3; Prefix is empty or ends in a slash.
	Bucket, Prefix string
}

// ParseLocation parses Config.State: file:PATH, file:///PATH, s3://BUCKET or s3://BUCKET/PREFIX/.
func ParseLocation(text string) (Location, error) {
	if dir, ok := strings.CutPrefix(text, "file:"); ok {
		return parseFolder(dir)
	}
	rest, ok := strings.CutPrefix(text, "s3://")
	if !ok {
		return Location{}, hint.New(strconv.Quote(text)+" is neither a folder nor an S3 location", "use file:PATH or s3://BUCKET/PREFIX/")
	}
	if arn.Is(rest) {
		return Location{}, hint.New(strconv.Quote(rest)+" is not the name of a bucket", "use s3://BUCKET/PREFIX/")
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	if problem := awsname.CheckBucket(bucket); problem != "" {
		return Location{}, hint.New("bucket "+strconv.Quote(bucket)+" "+problem, "use s3://BUCKET/PREFIX/")
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		return Location{}, hint.New("prefix "+strconv.Quote(prefix)+" does not end in a slash", "end it with /")
	}
	return Location{Bucket: bucket, Prefix: prefix}, nil
}

func parseFolder(dir string) (Location, error) {
	if rest, ok := strings.CutPrefix(dir, "//"); ok {
		if !strings.HasPrefix(rest, "/") {
			return Location{}, hint.New("names a host", "use file:PATH, or file:///PATH with three slashes")
		}
		dir = rest
	}
	if dir == "" || strings.ContainsRune(dir, 0) {
		return Location{}, hint.New("names no folder", "use file:PATH")
	}
	return Location{Dir: dir}, nil
}

// StateRegion returns the region of the bucket that contains the state.
func (c *Config) StateRegion() string {
	if c.Checkpoint.Region != "" || len(c.Mappings) == 0 {
		return c.Checkpoint.Region
	}
	return c.Mappings[0].Destination.Region
}

// StateAccount returns the account that owns the state bucket: checkpoint.account, or on AWS the
// account of checkpoint.role. It returns "" if neither is set, which is allowed only for a
// compatible service.
func (c *Config) StateAccount() string {
	if c.Checkpoint.Account != "" || c.compatible(c.Checkpoint.EndpointURL) {
		return c.Checkpoint.Account
	}
	return c.Roles[c.Checkpoint.Role].Account()
}

// SocketOff is the value of control.socket that turns the control socket off.
const SocketOff = "off"

// ControlSocket returns the path of the control socket, or "" if there is none.
func (c *Config) ControlSocket() string {
	switch {
	case c.Control.Socket == SocketOff:
		return ""
	case c.Control.Socket != "":
		return c.Control.Socket
	}
	if location, err := ParseLocation(c.State); err == nil && location.Dir != "" {
		return filepath.Join(location.Dir, "control.sock")
	}
	return ""
}
