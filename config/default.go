package config

import "time"

// Default returns the configuration a file starts from. It has no roles and no mappings: those that a file adds start
// from DefaultRole and DefaultMapping.
func Default() Config {
	return Config{
		HTTP: HTTP{Watchdog: Duration(15 * time.Minute)},
		Log:  Log{Level: LogLevelInfo, Format: LogFormatAuto},
		Checkpoint: Checkpoint{
			FlushInterval: Duration(10 * time.Second), KeepGenerations: 3, Lease: Duration(time.Minute),
		},
		DrainTimeout: Duration(25 * time.Second),
	}
}

// DefaultRole returns the role an entry of roles starts from.
func DefaultRole() Role {
	return Role{
		SessionName:   "syncd",
		Duration:      Duration(time.Hour),
		SessionPolicy: SessionPolicyNone,
	}
}

// DefaultMapping returns the mapping an entry of mappings starts from.
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
		Delete: Delete{MaxObjects: 1000, MaxPercent: 1},
	}
}
