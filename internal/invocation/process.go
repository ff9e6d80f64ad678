// Package invocation holds what a command was invoked with: its process, its flags, and the
// configuration that they name.
//
// Load is the one way to a configuration: it reads the file of --config, of SYNCD_CONFIG, or
// ./syncd.yaml, which may be a file, a pipe or standard input, and selects the named mappings. Gate
// returns the checks that a configuration must pass on this machine in addition to its own rules.
// They are the same for every command, so that no command rejects what another accepts.
//
// Package config has the rules of the configuration, and package assembly builds the parts from it.
// A Process has the streams, the environment and the clock. Flags has the flags that several
// commands share.
package invocation

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/creds"
)

// Process is the environment that a command runs in.
type Process struct {
	Stdin          io.Reader // nil: empty
	Stdout, Stderr io.Writer
	LookupEnv      func(name string) (value string, ok bool)
	ReadFile       func(path string) ([]byte, error)
	Now            func() time.Time
	Ambient        aws.CredentialsProvider // nil: the SDK finds credentials in the environment
	Shared         *creds.Shared           // shared by all sessions
	Tune           func(*http.Transport)   // if not nil, changes the HTTP transport
}
