// Package invocation is what a command was invoked with: the process it runs in, its flags, and the
// configuration that they name.
//
// It promises one way to a configuration (Load): --config, SYNCD_CONFIG or ./syncd.yaml, from a
// file, a pipe or standard input, with the mappings that were named. Gate is what a configuration
// must pass on this machine besides its own rules, the same for every command, so that none of them
// refuses what another accepts.
//
// It leaves the rules of the configuration to package config, and what is built from it to package
// assembly. A Process has the streams, the environment and the clock; Flags are those that several
// commands share.
package invocation

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/creds"
)

// Process is what the program is given by the system it runs on.
type Process struct {
	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer
	LookupEnv      func(name string) (value string, ok bool)
	ReadFile       func(path string) ([]byte, error)
	Now            func() time.Time
	Ambient        aws.CredentialsProvider // nil: those that the SDK finds in the environment
	Shared         *creds.Shared           // what lies beneath all sessions
	Tune           func(*http.Transport)   // changes how requests are sent; nil: nothing
}
