package main

import (
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"syncd/internal/creds"
)

// process is what the program is given by the system it runs on.
type process struct {
	stdin          io.Reader // nil: empty
	stdout, stderr io.Writer
	lookupEnv      func(name string) (value string, ok bool)
	readFile       func(path string) ([]byte, error)
	now            func() time.Time
	ambient        aws.CredentialsProvider // nil: those that the SDK finds in the environment
	shared         *creds.Shared           // what lies beneath all sessions
	tune           func(*http.Transport)   // changes how requests are sent; nil: nothing
}
