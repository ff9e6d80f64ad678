package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The credentials of all clients. The server checks none.
const (
	accessKey = "AKIDEXAMPLE"
	secretKey = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// work is what a client of bench does.
type work struct {
	endpoint string
	isList   bool // only list the source
	inFlight int
}

func parseWork(name string, args []string) (w work, err error) {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.StringVar(&w.endpoint, "endpoint", "", "address of the server")
	flags.BoolVar(&w.isList, "list", false, "only list the source")
	flags.IntVar(&w.inFlight, "in-flight", 256, "copies at once")
	return w, flags.Parse(args)
}

// floor lists the source and copies each object with net/http and the smallest signer.
func floor(args []string) error {
	w, err := parseWork("floor", args)
	if err != nil {
		return err
	}
	c := &lean{work: w, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: w.inFlight, DisableCompression: true}}}
	keys, failed := make(chan string, 4096), make(chan error, w.inFlight+1)
	var copying sync.WaitGroup
	for range w.inFlight {
		copying.Go(func() {
			for key := range keys {
				if err := c.copy(key); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	err = c.list(func(key string) {
		if !w.isList {
			keys <- key
		}
	})
	close(keys)
	copying.Wait()
	select {
	case first := <-failed:
		return errors.Join(err, first)
	default:
		return err
	}
}

// lean is an S3 client that knows two requests.
type lean struct {
	work
	http *http.Client
	keys sync.Map // signing keys by day
}

func (c *lean) signingKey(day string) []byte {
	if key, ok := c.keys.Load(day); ok {
		return key.([]byte)
	}
	key := mac(mac(mac(mac([]byte("AWS4"+secretKey), day), region), "s3"), "aws4_request")
	c.keys.Store(day, key)
	return key
}

// list lists the source. It reads the keys by looking for their tags: no XML decoder is leaner.
func (c *lean) list(each func(key string)) error {
	query := url.Values{"list-type": {"2"}}
	for {
		token := ""
		err := c.send(http.MethodGet, "/"+from, query.Encode(), nil, func(body io.Reader) error {
			page, err := io.ReadAll(body)
			if err != nil {
				return err
			}
			token = string(element(page, "<NextContinuationToken>"))
			for {
				_, rest, isFound := bytes.Cut(page, []byte("<Contents>"))
				if !isFound {
					return nil
				}
				each(string(element(rest, "<Key>")))
				page = rest
			}
		})
		if err != nil || token == "" {
			return err
		}
		query.Set("continuation-token", token)
	}
}

// element returns the text of the first element with a tag.
func element(page []byte, tag string) []byte {
	_, rest, _ := bytes.Cut(page, []byte(tag))
	text, _, _ := bytes.Cut(rest, []byte("<"))
	return text
}

func (c *lean) copy(key string) error {
	return c.send(http.MethodPut, "/"+to+"/"+key, "", map[string]string{
		"x-amz-copy-source": "/" + from + "/" + key, "x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": keyARN,
	}, func(body io.Reader) error {
		text, err := io.ReadAll(body)
		if err == nil && !strings.Contains(string(text), "<ETag>") {
			err = fmt.Errorf("copy %s: no ETag in %q", key, text)
		}
		return err
	})
}

// send signs and sends a request (AWS Signature Version 4) and reads the response.
func (c *lean) send(method, path, query string, headers map[string]string, read func(io.Reader) error) error {
	r, err := http.NewRequestWithContext(context.Background(), method, c.endpoint+path, nil)
	if err != nil {
		return err
	}
	r.URL.RawQuery = query
	now := time.Now().UTC()
	stamp, day := now.Format("20060102T150405Z"), now.Format("20060102")
	names := "host;x-amz-content-sha256;"
	canonical := "host:" + r.URL.Host + "\nx-amz-content-sha256:" + unsigned + "\n"
	add := func(name, value string) {
		r.Header.Set(name, value)
		names += name + ";"
		canonical += name + ":" + value + "\n"
	}
	r.Header.Set("X-Amz-Content-Sha256", unsigned)
	if source, ok := headers["x-amz-copy-source"]; ok {
		add("x-amz-copy-source", source)
	}
	add("x-amz-date", stamp)
	for _, name := range []string{"x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id"} {
		if value, ok := headers[name]; ok {
			add(name, value)
		}
	}
	names = strings.TrimSuffix(names, ";")
	sum := sha256.Sum256([]byte(method + "\n" + path + "\n" + query + "\n" + canonical + "\n" + names + "\n" + unsigned))
	scope := day + "/" + region + "/s3/aws4_request"
	signature := mac(c.signingKey(day), "AWS4-HMAC-SHA256\n"+stamp+"\n"+scope+"\n"+hex.EncodeToString(sum[:]))
	r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+accessKey+"/"+scope+", SignedHeaders="+names+", Signature="+hex.EncodeToString(signature))
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", method, path, response.Status)
	}
	return read(response.Body)
}

const unsigned = "UNSIGNED-PAYLOAD"

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte(text)) // a hash never fails
	return h.Sum(nil)
}
