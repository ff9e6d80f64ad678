package config

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/awsname"
	"syncd/internal/endpoint"
)

// endpointRules are the rules for the base URLs of services.
type endpointRules struct{ *validator }

func (v endpointRules) url(path, url string) {
	if url == "" {
		return
	}
	if problem := endpoint.Check(url); problem != "" {
		v.fault(path, problem, cmp.Or(endpoint.Hint(url), "use a URL such as https://s3.example.net"))
	}
}

// endpointOfS3 checks an S3 endpoint.
func (v endpointRules) endpointOfS3(path, url string) {
	v.url(path, url)
	v.check(!endpoint.IsSTS(url), path, "is an STS endpoint, but this setting needs an S3 endpoint", "leave it out, or use an S3 endpoint")
}

// bucketInPath rejects an endpoint whose path contains the bucket, because syncd adds the bucket to
// every request.
func (v endpointRules) bucketInPath(path, endpointURL, bucket string) {
	if endpointURL == "" {
		path, endpointURL = "aws.endpoint_url", v.AWS.EndpointURL
	}
	at, err := url.Parse(endpointURL)
	if err != nil || bucket == "" {
		return
	}
	v.check(!slices.Contains(strings.Split(at.Path, "/"), bucket), path,
		"has the bucket "+strconv.Quote(bucket)+" in its path, but syncd adds the bucket to every request", "leave the bucket out")
	if strings.HasPrefix(at.Hostname(), bucket+".") && !v.Covers(path) {
		v.warn(path, "begins with the name of the bucket, but syncd adds the bucket to every request", "leave the bucket out, unless the service has that name too")
	}
}

// endpointRegion warns about an S3 endpoint in a region other than the bucket's. Such an endpoint
// rejects the signature of every request for the bucket.
func (v endpointRules) endpointRegion(path, endpointURL, region string) {
	if endpointURL == "" {
		path, endpointURL = "aws.endpoint_url", v.AWS.EndpointURL
	}
	if v.compatible(endpointURL) {
		return
	}
	if of := endpoint.Region(endpointURL); of != "" && of != region && awsname.IsRegion(region) {
		v.warn(path, "is the endpoint of "+of+", but the bucket is in "+region, "leave it out, or use the endpoint of the bucket's region")
	}
}
