package config

import (
	"time"

	"syncd/config/value"
)

// Default returns the configuration that a file starts from. It has no roles and no mappings: each
// role in a file starts from DefaultRole, and each mapping from DefaultMapping.
func Default() Config {
	return Config{
		HTTP: HTTP{Watchdog: value.Duration(15 * time.Minute)},
		Log:  Log{Level: LogLevelInfo, Format: LogFormatAuto},
		Checkpoint: Checkpoint{
			FlushInterval: value.Duration(10 * time.Second), KeepGenerations: 3, Lease: value.Duration(time.Minute),
		},
		DrainTimeout: value.Duration(25 * time.Second),
	}
}

// DefaultRole returns the role that an entry of roles starts from.
func DefaultRole() Role {
	return Role{
		SessionName:   "syncd",
		Duration:      value.Duration(time.Hour),
		SessionPolicy: SessionPolicyNone,
	}
}

// DefaultMapping returns the mapping that an entry of mappings starts from.
func DefaultMapping() Mapping {
	return Mapping{
		Destination: Destination{BucketKey: true, StorageClass: "STANDARD"},
		Copy: Copy{
			Mode:        CopyModeAuto,
			Tags:        Tags{Carry: CarryCopy},
			Metadata:    CarryCopy,
			Annotations: CarryOmit,
			ObjectLock:  CarryOmit,
			ACL:         ACLOmit,
			Overwrite:   OverwriteOwned,
			Checksum:    ChecksumVerify,
		},
		Delete: Delete{AfterPasses: 2, MaxObjects: 1000, MaxPercent: 1},
	}
}

// setDefault sets an element of a list or a map to the default of its type.
func setDefault(element any) {
	switch e := element.(type) {
	case *Role:
		*e = DefaultRole()
	case *Mapping:
		*e = DefaultMapping()
	}
}
