package config

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"syncd/internal/arn"
	"syncd/internal/awsname"
	"syncd/internal/hint"
)

// sideRules are the rules for one side that requests are sent to: its endpoint, region, account,
// bucket, key and role.
type sideRules struct {
	endpointRules
	regions *awsname.Regions // nil until a region is checked
	warned  map[string]bool  // regions that already have a warning
}

// side contains the settings that sources and destinations have in common.
type side struct {
	path, region, account, role, endpoint string
	compatible                            bool // the service is not AWS: accounts, regions and keys may have another form
}

func (v *sideRules) side(s side) {
	v.region(s.path+".region", s.region, s.compatible)
	v.account(s)
	v.endpointOfS3(s.path+".endpoint_url", s.endpoint)
	v.roleExists(s.path+".role", s.role)
}

func (v *sideRules) account(s side) {
	path := s.path + ".account"
	if s.account == "" && !s.compatible {
		v.fault(path, "is required", accountForm)
	}
	v.accountID(path, s.account, s.compatible)
}

const accountForm = "use the 12 digits of the account that owns the bucket, in quotes"

// accountID rejects an invalid AWS account id, unless the service is not AWS.
func (v *sideRules) accountID(path, account string, compatible bool) {
	if account != "" && !compatible && !awsname.IsAccount(account) {
		v.fault(path, strconv.Quote(account)+" is not an AWS account", cmp.Or(accountHint(account), accountForm))
	}
}

// accountHint returns a hint for an account id written in groups of digits, as consoles show it.
func accountHint(text string) string {
	if digits := strings.NewReplacer("-", "", " ", "").Replace(text); awsname.IsAccount(digits) {
		return "did you mean " + strconv.Quote(digits) + "?"
	}
	return ""
}

func (v *sideRules) roleExists(path, name string) {
	if _, ok := v.Roles[name]; ok || name == "" || v.Covers("roles") && len(v.Roles) == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(v.Roles))
	instead := "add it to roles"
	if len(names) > 0 {
		instead = cmp.Or(hint.DidYouMean(name, names), instead)
	}
	v.fault(path, "no role is called "+strconv.Quote(name), instead)
}

// key checks the ARN of a KMS key that encrypts what is written to a bucket of the region.
func (v *sideRules) key(key, region string, compatible bool, path string) {
	if key == "" {
		v.fault(path, "is empty", "use arn:aws:kms:REGION:ACCOUNT:key/ID")
		return
	}
	if compatible {
		return
	}
	a, err := arn.ParseKey(key)
	if err != nil {
		v.refused(path, err)
		return
	}
	v.check(a.Region == region || v.Covers(strings.TrimSuffix(path, "kms_key")+"region"), path,
		strconv.Quote(key)+" is a key in "+a.Region+", but the bucket is in "+strconv.Quote(region), "use a key of the bucket's region")
}

// region checks the name of a region. AWS adds regions, so a name that could be a new one is
// accepted, with one warning per file.
func (v *sideRules) region(path, region string, compatible bool) {
	const usage = "use a code such as us-west-2"
	quoted := strconv.Quote(region)
	if compatible {
		v.check(region != "", path, quoted+" is not a region", usage)
		return
	}
	if v.regions == nil {
		v.regions, v.warned = awsname.KnownRegions(), map[string]bool{}
	}
	if v.regions.Has(region) {
		return
	}
	problem, instead := quoted+" is not a region", usage
	if meant := v.regions.Meant(region); meant != "" {
		instead = "did you mean " + meant + "?"
	}
	if v.regions.MayBeNew(region) {
		if !v.warned[region] {
			v.warn(path, problem+" that this version knows", instead+"; a region that is newer than this version works too")
		}
		v.warned[region] = true
		return
	}
	v.fault(path, problem, instead)
}

// bucket checks the name of a bucket, and on AWS its reserved prefixes.
func (v *sideRules) bucket(path, name string, compatible bool) {
	problem := awsname.CheckBucket(name)
	if problem == "" && !compatible {
		problem = awsname.ReservedPrefix(name)
	}
	v.check(problem == "", path, strconv.Quote(name)+" "+problem, "")
}

// ownBucket checks the name of a bucket that syncd writes to. It must not be an access point
// (docs/decisions/0020).
func (v *sideRules) ownBucket(path, name string, compatible bool) {
	switch {
	case arn.Is(name):
		v.fault(path, strconv.Quote(name)+" is an ARN", "use the name of the bucket")
	case awsname.IsAlias(name):
		v.fault(path, strconv.Quote(name)+" is an access point alias, which hides whether buckets overlap", "use the name of the bucket")
	default:
		v.bucket(path, name, compatible)
	}
}
