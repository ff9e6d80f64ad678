package creds

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"syncd/internal/awserr"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// sourceKind is a kind of source of ambient credentials.
type sourceKind int

const (
	fromProgram     sourceKind = iota // set by the caller of New
	fromEnvironment                   // keys in variables
	fromProfile                       // keys in a file
	fromProcess                       // a program that prints credentials
	fromLogin                         // a user's login
	fromSTS                           // STS, for a token or for other credentials
	fromContainer                     // the credentials endpoint of ECS or EKS
	fromInstance                      // EC2 instance metadata
)

// source is where the ambient credentials come from.
type source struct {
	kind sourceKind
	// name is the source's name in messages, and hint what to do if it gives no credentials.
	name, hint string
	// fixed means that the source always gives the same credentials.
	fixed bool
}

// The time limits for getting ambient credentials, and for one attempt. A source on this machine or
// at a link-local address responds within milliseconds. STS and SSO respond like any other service.
// A credential_process can take as long as the SDK allows.
const (
	localTime, localTry = 7 * time.Second, 4 * time.Second
	serviceTime         = 25 * time.Second
	programTime         = time.Minute
)

// times returns the time limit of one attempt, and of all attempts together.
func (s source) times() (try, all time.Duration) {
	switch s.kind {
	case fromSTS, fromLogin:
		return serviceTime, serviceTime
	case fromProcess:
		return programTime, programTime
	case fromInstance: // two requests, which the SDK limits to five seconds each
		return localTime, localTime
	case fromProgram, fromEnvironment, fromProfile, fromContainer:
	}
	return localTry, localTime
}

const ambientHint = "give the process credentials: a task role, a service account with a role, or AWS_PROFILE"

// fixedHint is the hint for expired credentials that do not renew themselves.
const fixedHint = "these credentials cannot be renewed: replace them and restart syncd, or use credentials that renew themselves, such as a task role or a service account with a role"

// sourceOf returns the source of the credentials of a loaded configuration.
func sourceOf(loaded aws.Config) source {
	env, shared := configured(loaded)
	profile := " of profile " + cmp.Or(shared.Profile, awsconfig.DefaultSharedConfigProfile)
	var chain []aws.CredentialSource
	if from, ok := loaded.Credentials.(aws.CredentialProviderSource); ok {
		chain = from.ProviderSources()
	}
	comes := func(from ...aws.CredentialSource) bool {
		return slices.ContainsFunc(from, func(f aws.CredentialSource) bool { return slices.Contains(chain, f) })
	}
	const way = "check the network path to STS, that the role trusts the caller, and the region, which is AWS_REGION or, if that is not set, the region of the mapping"
	switch {
	case comes(aws.CredentialSourceSTSAssumeRole): // whatever credentials the role is assumed with
		return source{kind: fromSTS, name: "the role" + profile, hint: way}
	case comes(aws.CredentialSourceEnvVars):
		return source{kind: fromEnvironment, name: "the environment (AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN)", hint: fixedHint, fixed: true}
	case comes(aws.CredentialSourceEnvVarsSTSWebIDToken, aws.CredentialSourceProfileSTSWebIDToken):
		file := cmp.Or(env.WebIdentityTokenFilePath, shared.WebIdentityTokenFile)
		return source{kind: fromSTS, name: "STS for the token in " + file, hint: way + "; the token file must exist and be current"}
	case comes(aws.CredentialSourceProcess):
		return source{kind: fromProcess, name: "credential_process" + profile, hint: "run the credential_process by hand: it must print JSON with credentials, and exit"}
	case comes(aws.CredentialSourceSSO, aws.CredentialSourceSSOLegacy):
		return source{kind: fromLogin, name: "SSO" + profile, hint: "run `aws sso login`, or " + ambientHint}
	case comes(aws.CredentialSourceLogin):
		return source{kind: fromLogin, name: "the login" + profile, hint: "run `aws login`, or " + ambientHint}
	case comes(aws.CredentialSourceHTTP):
		return source{
			kind: fromContainer, name: "the container's endpoint " + containerEndpoint(env),
			hint: "check the ECS or EKS Pod Identity agent that serves this endpoint, and network policies; requests to the endpoint do not use a proxy",
		}
	case comes(aws.CredentialSourceIMDS):
		return source{
			kind: fromInstance, name: "instance metadata",
			hint: ambientHint + "; on EC2 the instance needs a role, and a hop limit of 2 if syncd runs in a container",
		}
	default:
		return source{kind: fromProfile, name: "the keys" + profile, hint: "put new keys into the profile: its files are read again when a service rejects the old keys as expired"}
	}
}

// regional reports whether getting the credentials requires a region that is not configured.
func (s source) regional(loaded aws.Config) bool {
	return loaded.Region == "" && (s.kind == fromSTS || s.kind == fromLogin)
}

// configured returns the settings of the environment and of the profile.
func configured(loaded aws.Config) (env awsconfig.EnvConfig, shared awsconfig.SharedConfig) {
	for _, from := range loaded.ConfigSources {
		switch from := from.(type) {
		case awsconfig.EnvConfig:
			env = from
		case awsconfig.SharedConfig:
			shared = from
		}
	}
	return env, shared
}

// containerEndpoint returns the credentials endpoint of a container, without the path, which on ECS
// is as secret as a password.
func containerEndpoint(env awsconfig.EnvConfig) string {
	at, err := url.Parse(env.ContainerCredentialsEndpoint)
	if env.ContainerCredentialsRelativePath != "" || err != nil {
		return "http://169.254.170.2"
	}
	return awserr.EndpointOf(at)
}

// given returns the source of credentials that were passed to New.
func given(from aws.CredentialsProvider) source {
	_, fixed := from.(credentials.StaticCredentialsProvider)
	return source{kind: fromProgram, name: "the program", hint: ambientHint, fixed: fixed}
}
