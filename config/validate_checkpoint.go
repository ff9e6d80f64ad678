package config

import (
	"strconv"
	"time"
)

// checkpointRules are the rules for how and where the ledger is stored.
type checkpointRules struct{ *sideRules }

// checkpoint checks the checkpoint section, and the state on S3.
func (v checkpointRules) checkpoint(c Checkpoint) {
	v.between("checkpoint.flush_interval", c.FlushInterval, 100*time.Millisecond, 10*time.Minute)
	v.between("checkpoint.keep_for", c.KeepFor, 0, 8760*time.Hour)
	v.between("checkpoint.lease", c.Lease, 15*time.Second, 15*time.Minute)
	v.check(c.KeepGenerations >= 1 && c.KeepGenerations <= 1000, "checkpoint.keep_generations",
		strconv.FormatInt(c.KeepGenerations, 10)+" is out of bounds", "use 1 to 1000")
	location, err := ParseLocation(v.State)
	switch {
	case err != nil:
	case location.Bucket == "":
		v.noBucket(c)
	default:
		v.ownBucket("state", location.Bucket, v.compatible(c.EndpointURL))
		v.bucketInPath("checkpoint.endpoint_url", c.EndpointURL, location.Bucket)
		v.stateBucket(c)
	}
}

// noBucket rejects settings that apply only to state on S3. Otherwise an operator who sets kms_key
// would believe that a state folder is encrypted.
func (v checkpointRules) noBucket(c Checkpoint) {
	for _, setting := range [][2]string{
		{"region", c.Region}, {"role", c.Role}, {"account", c.Account}, {"kms_key", c.KMSKey}, {"endpoint_url", c.EndpointURL},
	} {
		v.check(setting[1] == "", "checkpoint."+setting[0], "is for state on S3, but state is a folder", "remove it, or set state to s3://BUCKET/PREFIX/")
	}
	v.check(c.PathStyle == nil, "checkpoint.path_style", "is for state on S3, but state is a folder", "remove it")
}

func (v checkpointRules) stateBucket(c Checkpoint) {
	compatible := v.compatible(c.EndpointURL)
	if c.Region != "" {
		v.region("checkpoint.region", c.Region, compatible)
	}
	v.stateAccount(c.Account, compatible)
	if c.KMSKey != "" {
		v.key(c.KMSKey, v.StateRegion(), compatible, "checkpoint.kms_key")
	}
	v.endpointOfS3("checkpoint.endpoint_url", c.EndpointURL)
	v.roleExists("checkpoint.role", c.Role)
}

// stateAccount checks the account of the state bucket, so that records are never read from or
// written to a bucket that has a new owner.
func (v checkpointRules) stateAccount(account string, compatible bool) {
	const path = "checkpoint.account"
	if account == "" && !compatible && v.Checkpoint.Role == "" {
		v.fault(path, "is required when checkpoint.role is not set", accountForm)
	}
	v.accountID(path, account, compatible)
}
