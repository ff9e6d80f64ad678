package config

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"syncd/internal/endpoint"
)

// validator checks what no single value can know: bounds, references and overlaps. Values whose decoding failed already
// are passed over.
type validator struct {
	*report
	*Config
	written map[writer]int // see writers
	regions *regions       // nil until a region is checked
}

// fault records a fault of the value at path, unless that value or a part of it is at fault already.
func (v *validator) fault(path, problem, hint string) {
	if !v.covers(path) {
		v.add(path, problem, hint)
	}
}

// check records a fault unless ok.
func (v *validator) check(ok bool, path, problem, hint string) {
	if !ok {
		v.fault(path, problem, hint)
	}
}

func (v *validator) validate() {
	if _, err := ParseLocation(v.State); err != nil && !v.covers("state") {
		v.addErr("state", err)
	}
	v.http(v.HTTP)
	v.control(v.Control)
	v.endpointOfS3("aws.endpoint_url", v.AWS.EndpointURL)
	v.checkpoint(v.Checkpoint)
	v.between("drain_timeout", v.DrainTimeout, time.Second, time.Hour)
	v.check(v.Concurrency <= 16384, "concurrency", v.Concurrency.String()+" is out of bounds", "use auto or 1 to 16384")
	v.check(v.Passes <= 4096, "passes", v.Passes.String()+" is out of bounds", "use auto or 1 to 4096")
	v.roles()
	v.check(len(v.Mappings) > 0, "mappings", "is empty", "add at least one mapping")
	for i, m := range v.Mappings {
		v.mapping(m, item("mappings", i))
		if v.full() {
			return
		}
	}
	v.exposedSides()
	v.names()
	if !v.full() {
		v.overlaps()
	}
}

// hostName matches the name of a host (RFC 1123, section 2.1).
var hostName = regexp.MustCompile(`^(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?)(\.(?i:[a-z0-9]([a-z0-9-]*[a-z0-9])?))*\.?$`)

func (v *validator) http(h HTTP) {
	v.check(h.Listen == "" || isListen(h.Listen), "http.listen",
		strconv.Quote(h.Listen)+" is not an address to listen on", "use HOST:PORT or :PORT")
	v.check(!h.Pprof || v.covers("http.listen") || isLoopback(cmp.Or(h.Listen, DefaultListen)), "http.pprof",
		"shows what is in memory to everyone who reaches "+strconv.Quote(h.Listen), "listen on a loopback address such as "+DefaultListen)
	for i, host := range h.Hosts {
		v.check(hostName.MatchString(host), item("http.hosts", i),
			strconv.Quote(host)+" is not the name of a host", "use a name such as syncd.example.com, without a port")
	}
	v.between("http.watchdog", h.Watchdog, time.Minute, 24*time.Hour)
}

// maxSocketPath is how long the path of a Unix socket may be on every system (unix(7): 108 bytes with the zero at its end; 104 elsewhere).
const maxSocketPath = 103

func (v *validator) control(c Control) {
	problem := strconv.Quote(c.Socket) + " is not the path of a socket"
	hint := socketHint(c.Socket)
	v.check(hint == "", "control.socket", problem, hint)
	v.check(len(c.Socket) <= maxSocketPath, "control.socket",
		"has "+strconv.Itoa(len(c.Socket))+" bytes, and the path of a socket at most "+strconv.Itoa(maxSocketPath), "use a shorter path such as /run/syncd/control.sock, or off")
	v.check(hint != "" || !strings.ContainsRune(c.Socket, 0) && !strings.HasSuffix(c.Socket, "/"), "control.socket", problem,
		"use a path such as /run/syncd/control.sock, or off")
}

// socketHint says what to write in place of what was likely meant for something else than a path, "" for a path.
func socketHint(socket string) string {
	if socket == "" || socket == SocketOff {
		return ""
	}
	switch strings.ToLower(socket) {
	case SocketOff, "no", "none", "false", "disabled":
		return "write off for no socket"
	case "on", "yes", "true", "auto", "default":
		return "leave the setting out for the usual socket, or use a path such as /run/syncd/control.sock"
	case ".", "..":
		return "name a file in that folder, such as " + socket + "/control.sock"
	}
	switch {
	case strings.HasPrefix(socket, "~"):
		return "~ is of the shell: write the path in full"
	case strings.HasPrefix(socket, "@"):
		return "a name without a file has no mode that keeps other users away: use a path such as /run/syncd/control.sock"
	case strings.HasPrefix(socket, "unix:"):
		return "leave out unix: and write the path alone"
	case strings.Contains(socket, "://") || isListen(socket):
		return "requests come by a file of this machine alone: use a path such as /run/syncd/control.sock, or off"
	}
	return ""
}

func (v *validator) endpoint(path, url string) {
	if url == "" {
		return
	}
	if problem := checkEndpoint(url); problem != "" {
		v.fault(path, problem, cmp.Or(endpointHint(url), "use a URL such as https://s3.example.net"))
	}
}

// endpointOfS3 is endpoint for a setting about S3.
func (v *validator) endpointOfS3(path, url string) {
	v.endpoint(path, url)
	v.check(!endpoint.IsSTS(url), path, "is an endpoint of STS, and S3 is asked there", "leave it out, or use one of S3")
}

// bucketInPath refuses an endpoint whose path names the bucket of a setting, which requests add themselves.
func (v *validator) bucketInPath(path, endpointURL, bucket string) {
	if endpointURL == "" {
		path, endpointURL = "aws.endpoint_url", v.AWS.EndpointURL
	}
	at, err := url.Parse(endpointURL)
	if err != nil || bucket == "" {
		return
	}
	v.check(!slices.Contains(strings.Split(at.Path, "/"), bucket), path,
		"has the bucket "+strconv.Quote(bucket)+" in its path, and requests add it there once more", "leave the bucket out")
	if strings.HasPrefix(at.Hostname(), bucket+".") && !v.covers(path) {
		v.warn(path, "begins with the name of the bucket, which requests add themselves", "leave the bucket out, unless the service has that name too")
	}
}

// endpointRegion warns of an endpoint of S3 in another region than the bucket, which refuses the signature of its requests.
func (v *validator) endpointRegion(path, endpointURL, region string) {
	if endpointURL == "" {
		path, endpointURL = "aws.endpoint_url", v.AWS.EndpointURL
	}
	at, err := url.Parse(endpointURL)
	if err != nil || v.compatible(endpointURL) {
		return
	}
	if of := regionInHost.FindString(strings.ToLower(at.Hostname())); of != "" && of != region && isRegion(region) {
		v.warn(path, "is the endpoint of "+of+", but the bucket is in "+region, "leave it out, or use that of the bucket's region")
	}
}

// regionInHost matches the region in the name of an endpoint of S3.
var regionInHost = regexp.MustCompile(`[a-z]{2,4}(?:-[a-z]+)+-[0-9]+\b`)

func (v *validator) between(path string, d Duration, least, most time.Duration) {
	v.check(d.Duration() >= least && d.Duration() <= most, path, d.String()+" is out of bounds",
		"use "+Duration(least).String()+" to "+Duration(most).String())
}

// names checks that no two mappings have the same name.
func (v *validator) names() {
	first := map[string]int{}
	for i, m := range v.Mappings {
		if j, taken := first[m.Name]; taken && m.Name != "" {
			v.fault(child(item("mappings", i), "name"), strconv.Quote(m.Name)+" is the name of "+item("mappings", j)+" too",
				"give each mapping its own name")
			continue
		}
		first[m.Name] = i
	}
}

// extent is a prefix of a bucket of one service.
type extent struct {
	service, bucket, prefix string // the service of AWS is its partition, within which a name stands for one bucket
	path                    string // of the source or destination, or of state
	mapping                 int
}

// overlaps reports whether a key can lie in both.
func (e extent) overlaps(o extent) bool { return e.service == o.service && e.mayOverlap(o) }

// mayOverlap reports whether a key could lie in both if their services were one: two names may stand for one server.
func (e extent) mayOverlap(o extent) bool {
	return e.bucket != "" && e.bucket == o.bucket && (strings.HasPrefix(e.prefix, o.prefix) || strings.HasPrefix(o.prefix, e.prefix))
}

// nested reports whether one of two extents at different services may be within the bucket of the other, which its endpoint URL names.
func (e extent) nested(o extent) bool {
	if e.bucket == "" || o.bucket == "" || e.service == o.service {
		return false
	}
	return hasBucket(o.service, e.bucket) || hasBucket(e.service, o.bucket)
}

// hasBucket reports whether a bucket's name is in the name of a service: labels of the host, or a segment of the path.
func hasBucket(service, bucket string) bool {
	host, path, _ := strings.Cut(service, "/")
	host, _, _ = strings.Cut(host, ":")
	return strings.Contains("."+host+".", "."+bucket+".") || strings.Contains("/"+path+"/", "/"+bucket+"/")
}

func (e extent) String() string { return strconv.Quote("s3://" + e.bucket + "/" + e.prefix) }

func (v *validator) source(i int) extent {
	s, path := v.Mappings[i].Source, item("mappings", i)+".source"
	return v.extent(extent{v.area(s.EndpointURL, s.Region), cmp.Or(s.Holder(), s.Identity()), s.Prefix, path, i})
}

func (v *validator) destination(i int) extent {
	d, path := v.Mappings[i].Destination, item("mappings", i)+".destination"
	return v.extent(extent{v.area(d.EndpointURL, d.Region), d.Bucket, d.Prefix, path, i})
}

// area is within what a bucket's name stands for one bucket: a service, or a partition of AWS.
func (v *validator) area(endpointURL, region string) string {
	return cmp.Or(v.Service(endpointURL), endpoint.Partition(region))
}

// extent returns e, or one that overlaps nothing if it is at fault itself.
func (v *validator) extent(e extent) extent {
	if v.covers(e.path+".bucket") || v.covers(e.path+".prefix") || v.covers(e.path+".endpoint_url") {
		return extent{}
	}
	return e
}

// overlaps checks that no mapping reads what it writes, that no two write the same keys, and that nothing copies,
// overwrites or deletes the state.
func (v *validator) overlaps() {
	location, _ := ParseLocation(v.State)
	state := extent{service: v.area(v.Checkpoint.EndpointURL, v.StateRegion()), bucket: location.Bucket, prefix: location.Prefix, path: "state"}
	sources, destinations := make([]extent, len(v.Mappings)), make([]extent, len(v.Mappings))
	for i := range v.Mappings {
		source, destination := v.source(i), v.destination(i)
		sources[i], destinations[i] = source, destination
		v.check(!source.overlaps(destination), destination.path+".prefix",
			destination.String()+" overlaps the mapping's own source "+source.String(), "use another bucket, or prefixes of which none begins with the other")
		const hint = "keep state in a bucket or prefix of its own"
		v.check(!state.overlaps(source), "state", state.String()+" overlaps "+source.path+" "+source.String(), hint)
		// What lies at a destination, the source's owner has chosen. So the endpoint of another name is no reason to believe that it
		// is another server.
		v.check(!state.mayOverlap(destination), "state", state.String()+" overlaps "+destination.path+" "+destination.String(), hint)
		v.check(!state.nested(destination), "state", state.String()+" overlaps "+destination.path+" "+destination.String()+
			": the endpoint of one names the bucket of the other", "use the same endpoint for both, without a bucket in it")
	}
	v.apart(slices.Clone(destinations))
	if !v.full() {
		v.circles(sources, destinations)
	}
}

// apart checks that no two destinations overlap. In the order of prefixes those that begin with the same one follow it
// without a gap, so that one look back suffices for thousands of mappings.
func (v *validator) apart(destinations []extent) {
	slices.SortStableFunc(destinations, compareExtents)
	var outer extent
	for _, d := range destinations {
		if !outer.overlaps(d) {
			outer = d
			continue
		}
		earlier, later := outer, d
		if earlier.mapping > later.mapping {
			earlier, later = later, earlier
		}
		v.fault(later.path+".prefix", later.String()+" overlaps "+earlier.path+" "+earlier.String(), "give each mapping a prefix of its own")
	}
}
