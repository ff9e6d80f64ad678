package config

import "syncd/internal/arn"

// accessPoint returns the access point that the source is read through; ok is false for a bucket.
func (s Source) accessPoint() (p arn.AccessPoint, ok bool) {
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
