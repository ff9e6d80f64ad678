package config

import (
	"cmp"

	"syncd/internal/transfer"
)

// Places returns the two sides of a mapping.
func (c *Config) Places(m Mapping) (source, destination transfer.Place) {
	s, d := m.Source, m.Destination
	source = transfer.Place{
		Bucket: s.Bucket, Prefix: s.Prefix, Account: s.Account, Region: s.Region, Role: s.Role, RequestPayer: s.RequestPayer,
	}
	if p, ok := s.accessPoint(); ok {
		source.AccessPoint, source.Underlying = p.ARN, s.UnderlyingBucket
	}
	destination = transfer.Place{Bucket: d.Bucket, Prefix: d.Prefix, Account: d.Account, Region: d.Region, Role: d.Role}
	return source.At(c.endpoint(s.EndpointURL)), destination.At(c.endpoint(d.EndpointURL))
}

// StatePlace returns where the state is stored; ok is false for a folder.
func (c *Config) StatePlace() (p transfer.Place, ok bool) {
	l, err := ParseLocation(c.State)
	if err != nil || l.Bucket == "" {
		return transfer.Place{}, false
	}
	k := c.Checkpoint
	p = transfer.Place{Bucket: l.Bucket, Prefix: l.Prefix, Account: c.StateAccount(), Region: c.StateRegion(), Role: k.Role}
	return p.At(c.endpoint(k.EndpointURL)), true
}

// endpoint returns endpointURL, or aws.endpoint_url if endpointURL is empty.
func (c *Config) endpoint(endpointURL string) string { return cmp.Or(endpointURL, c.AWS.EndpointURL) }

// Method returns how the objects of a mapping are copied.
func (c *Config) Method(m Mapping) transfer.Method {
	source, destination := c.Places(m)
	return transfer.MethodOf(transfer.Method(m.Copy.Mode), source, destination)
}

// Relayed reports whether a mapping's content passes through this process.
func (c *Config) Relayed(m Mapping) bool { return c.Method(m) == transfer.Relay }

// Transfer returns the transfer settings of a mapping. It does not set RelayMemory, because all
// relays of the process share that memory.
func (c *Config) Transfer(m Mapping) transfer.Settings {
	s := transfer.Settings{
		Relay: c.Relayed(m), MultipartAbove: int64(m.Copy.MultipartAbove), PartSize: int64(m.Copy.PartSize),
		OmitTags: m.Copy.Tags.Carry == CarryOmit, OnlyTags: m.Copy.Tags.Only, OmitMetadata: m.Copy.Metadata == CarryOmit,
		Annotations: m.Copy.Annotations == CarryCopy, ObjectLock: m.Copy.ObjectLock == CarryCopy, ObjectLockMax: m.Copy.ObjectLockMax.Duration(),
		StorageClass: m.Destination.StorageClass, KeepStorageClass: m.Destination.StorageClass == StorageClassKeep,
	}
	if s.KeepStorageClass {
		s.StorageClass = ""
	}
	if m.Copy.ACL != ACLOmit {
		s.ACL = string(m.Copy.ACL)
	}
	return s
}
