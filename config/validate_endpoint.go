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

// endpointRules are those of the base URLs of services.
type endpointRules struct{ *validator }

func (v endpointRules) url(path, url string) {
	if url == "" {
		return
	}
	if problem := endpoint.Check(url); problem != "" {
		v.fault(path, problem, cmp.Or(endpoint.Hint(url), "use a URL such as https://s3.example.net"))
	}
}

// endpointOfS3 is url for a setting about S3.
func (v endpointRules) endpointOfS3(path, url string) {
	v.url(path, url)
	v.check(!endpoint.IsSTS(url), path, "is an endpoint of STS, and S3 is asked there", "leave it out, or use one of S3")
}

// bucketInPath refuses an endpoint whose path names the bucket of a setting, which requests add
// themselves.
func (v endpointRules) bucketInPath(path, endpointURL, bucket string) {
	if endpointURL == "" {
		path, endpointURL = "aws.endpoint_url", v.AWS.EndpointURL
	}
	at, err := url.Parse(endpointURL)
	if err != nil || bucket == "" {
		return
	}
	v.check(!slices.Contains(strings.Split(at.Path, "/"), bucket), path,
		"has the bucket "+strconv.Quote(bucket)+" in its path, and requests add it there once more", "leave the bucket out")
	if strings.HasPrefix(at.Hostname(), bucket+".") && !v.Covers(path) {
		v.warn(path, "begins with the name of the bucket, which requests add themselves", "leave the bucket out, unless the service has that name too")
	}
}

// endpointRegion warns of an endpoint of S3 in another region than the bucket, which refuses the
// signature of its requests.
func (v endpointRules) endpointRegion(path, endpointURL, region string) {
	if endpointURL == "" {
		path, endpointURL = "aws.endpoint_url", v.AWS.EndpointURL
	}
	if v.compatible(endpointURL) {
		return
	}
	if of := endpoint.Region(endpointURL); of != "" && of != region && awsname.IsRegion(region) {
		v.warn(path, "is the endpoint of "+of+", but the bucket is in "+region, "leave it out, or use that of the bucket's region")
	}
}
