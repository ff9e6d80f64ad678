package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The names that server and clients share.
const (
	region  = "us-east-1"
	from    = "bench-source"
	to      = "bench-copy"
	keyARN  = "arn:aws:kms:us-east-1:222222222222:key/1a2b3c4d-5e6f-7a8b-9c0d-1e2f3a4b5c6d"
	etag    = `"d41d8cd98f00b204e9800998ecf8427e"`
	changed = "2026-01-02T03:04:05.000Z"
	dated   = "Fri, 02 Jan 2026 03:04:05 GMT"
)

// keyOf returns the key of an object. The keys sort by number.
func keyOf(i int) string { return fmt.Sprintf("exports/2026/%04d/part-%04d.parquet", i/1000, i%1000) }

// server is an S3 server that does as little as possible: it parses no more of a request than it needs,
// checks no signature and stores no content. It remembers which objects were copied.
type server struct {
	objects int
	delay   time.Duration

	mu     sync.Mutex
	counts map[string]int64
	copied []atomic.Bool
}

// serve runs a server until it is killed. The first line on its standard output is its address.
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	objects := flags.Int("objects", 50_000, "objects in the source")
	delay := flags.Duration("delay", 0, "time before each response")
	isCopied := flags.Bool("copied", false, "the destination has all objects")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &server{objects: *objects, delay: *delay, counts: map[string]int64{}, copied: make([]atomic.Bool, *objects)}
	for i := range s.copied {
		s.copied[i].Store(*isCopied)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_ = s.talk(conn)
		}()
	}
}

// request is what the server needs of a request.
type request struct {
	method, path, query string
	source              string // x-amz-copy-source
	noneMatch           bool   // If-None-Match: *
	length              int64
	chunked             bool
}

// talk answers the requests of one connection.
func (s *server) talk(conn net.Conn) error {
	r, w := bufio.NewReaderSize(conn, 16<<10), bufio.NewWriterSize(conn, 64<<10)
	for {
		q, err := read(r)
		if err != nil {
			return err
		}
		if _, err := r.Discard(int(q.length)); err != nil {
			return err
		}
		if s.delay > 0 {
			time.Sleep(s.delay)
		}
		s.answer(w, q)
		if err := w.Flush(); err != nil {
			return err
		}
	}
}

// read reads the head of a request.
func read(r *bufio.Reader) (q request, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return q, err
	}
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, _, _ := bytes.Cut(rest, []byte(" "))
	path, query, _ := strings.Cut(string(target), "?")
	q.method, q.path, q.query = string(method), path, query
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return q, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return q, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("X-Amz-Copy-Source")):
			q.source = string(value)
		case bytes.EqualFold(name, []byte("If-None-Match")):
			q.noneMatch = true
		case bytes.EqualFold(name, []byte("Content-Length")):
			if q.length, err = strconv.ParseInt(string(value), 10, 64); err != nil {
				return q, err
			}
		}
	}
}

// answer answers a request.
func (s *server) answer(w *bufio.Writer, q request) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(q.path, "/"), "/")
	if strings.Contains(key, "%") {
		if plain, err := url.PathUnescape(key); err == nil {
			key = plain
		}
	}
	switch {
	case bucket == "counts":
		s.tell(w)
	case q.method == "PUT" && q.source != "":
		s.copy(w, bucket, key, q)
	case q.method == "GET" && key == "":
		s.list(w, bucket, q.query)
	case q.method == "HEAD" && key == "":
		s.count("HeadBucket")
		respond(w, 200, "", nil)
	case q.method == "HEAD":
		s.count("HeadObject")
		s.head(w, bucket, key)
	default:
		s.count(q.method + " other")
		respond(w, 404, "", []byte(`<Error><Code>NoSuchKey</Code><Message>none</Message></Error>`))
	}
}

func (s *server) count(operation string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[operation]++
}

// tell reports the requests since the last report.
func (s *server) tell(w *bufio.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := json.Marshal(s.counts)
	if err != nil {
		body = []byte("{}")
	}
	s.counts = map[string]int64{}
	respond(w, 200, "", body)
}

const encrypted = "x-amz-server-side-encryption: aws:kms\r\nx-amz-server-side-encryption-aws-kms-key-id: " + keyARN + "\r\n"

func (s *server) copy(w *bufio.Writer, bucket, key string, q request) {
	s.count("CopyObject")
	i := s.find(key)
	if bucket != to || i == s.objects || keyOf(i) != key {
		respond(w, 404, "", []byte(`<Error><Code>NoSuchKey</Code><Message>none</Message></Error>`))
		return
	}
	if s.copied[i].Swap(true) && q.noneMatch {
		respond(w, 412, "", []byte(`<Error><Code>PreconditionFailed</Code><Message>it exists</Message><Condition>If-None-Match</Condition></Error>`))
		return
	}
	respond(w, 200, encrypted, []byte(`<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<CopyObjectResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><LastModified>`+changed+`</LastModified><ETag>`+etag+`</ETag></CopyObjectResult>`))
}

func (s *server) head(w *bufio.Writer, bucket, key string) {
	i := s.find(key)
	if i == s.objects || keyOf(i) != key || bucket == to && !s.copied[i].Load() {
		respondHead(w, 404, "", 0)
		return
	}
	extra := "ETag: " + etag + "\r\nLast-Modified: " + dated + "\r\n"
	if bucket == to {
		extra += encrypted
	}
	respondHead(w, 200, extra, 1024)
}

// find returns the number of the first object whose key is key or later.
func (s *server) find(key string) int {
	return sort.Search(s.objects, func(i int) bool { return keyOf(i) >= key })
}

// list answers a request for a page of a listing, or for the uploads of a bucket.
func (s *server) list(w *bufio.Writer, bucket, query string) {
	values, err := url.ParseQuery(query)
	switch {
	case err != nil:
		respond(w, 400, "", []byte(`<Error><Code>InvalidArgument</Code></Error>`))
		return
	case values.Has("uploads"):
		s.count("ListMultipartUploads")
		respond(w, 200, "", []byte(`<ListMultipartUploadsResult><Bucket>`+bucket+`</Bucket><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>`))
		return
	case !values.Has("list-type"):
		s.count("GET other")
		respond(w, 200, "", []byte(`<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`+region+`</LocationConstraint>`))
		return
	}
	s.count("ListObjectsV2")
	most := 1000
	if n, err := strconv.Atoi(values.Get("max-keys")); err == nil {
		most = min(most, n)
	}
	respond(w, 200, "", s.page(bucket, values, most))
}

// page returns a page of a listing. It ignores delimiters: the keys are listed flat.
func (s *server) page(bucket string, values url.Values, most int) []byte {
	prefix, after := values.Get("prefix"), max(values.Get("start-after"), values.Get("continuation-token"))
	i := s.find(max(prefix, after))
	if i < s.objects && keyOf(i) == after {
		i++
	}
	var entries bytes.Buffer
	n, last := 0, ""
	for ; i < s.objects && n < most; i++ {
		if bucket == to && !s.copied[i].Load() {
			continue
		}
		if last = keyOf(i); !strings.HasPrefix(last, prefix) {
			i = s.objects
			break
		}
		entries.WriteString("<Contents><Key>")
		entries.WriteString(last)
		entries.WriteString("</Key><LastModified>" + changed + "</LastModified><ETag>&quot;" + strings.Trim(etag, `"`) + "&quot;</ETag><Size>1024</Size><StorageClass>STANDARD</StorageClass></Contents>")
		n++
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n"+`<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>%s</Name><Prefix>%s</Prefix><KeyCount>%d</KeyCount><MaxKeys>%d</MaxKeys>`, bucket, url.QueryEscape(prefix), n, most)
	if values.Get("encoding-type") == "url" {
		b.WriteString("<EncodingType>url</EncodingType>")
	}
	if token := values.Get("continuation-token"); token != "" {
		fmt.Fprintf(&b, "<ContinuationToken>%s</ContinuationToken>", token)
	}
	if i < s.objects {
		fmt.Fprintf(&b, "<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>", last)
	} else {
		b.WriteString("<IsTruncated>false</IsTruncated>")
	}
	b.Write(entries.Bytes())
	b.WriteString("</ListBucketResult>")
	return b.Bytes()
}

func respondHead(w *bufio.Writer, status int, extra string, length int) {
	_, _ = fmt.Fprintf(w, "HTTP/1.1 %d OK\r\nServer: AmazonS3\r\nx-amz-request-id: 0A49CE4060975EAC\r\nx-amz-id-2: b\r\nDate: %s\r\n%sContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n",
		status, time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), extra, length)
}

func respond(w *bufio.Writer, status int, extra string, body []byte) {
	respondHead(w, status, extra, len(body))
	_, _ = io.Copy(w, bytes.NewReader(body))
}
