package config

import "syncd/internal/arn"

// AccessPoint returns the access point through which the source is read; ok is false for a bucket.
func (s Source) AccessPoint() (p arn.AccessPoint, ok bool) {
	text := s.AccessPointARN
	if arn.Is(s.Bucket) {
		text = s.Bucket
	}
	if text == "" {
		return arn.AccessPoint{}, false
	}
	p, err := arn.ParseAccessPoint(text)
	return p, err == nil
}

// Identity is what tells the source from others: the ARN of its access point, however that is addressed, else the bucket's name.
func (s Source) Identity() string {
	if p, ok := s.AccessPoint(); ok {
		return p.ARN
	}
	return s.Bucket
}

// Holder is the bucket that holds the objects, "" when it is behind an access point and the configuration does not name it.
func (s Source) Holder() string {
	if _, ok := s.AccessPoint(); ok {
		return s.UnderlyingBucket
	}
	return s.Bucket
}
