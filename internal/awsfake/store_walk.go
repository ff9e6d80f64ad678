package awsfake

import "strings"

// walk is the part of a bucket's keys that a listing asks for.
type walk struct {
	prefix, delimiter string
	max               int
	after             string // keys up to and including this one are left out
}

// listedVersion is a version, or a delete marker, on a page.
type listedVersion struct {
	*object
	latest bool
}

// start is the first key that may be on the page; false when none can.
func (l *walk) start() (string, bool) {
	if l.after == "" || l.after < l.prefix {
		return l.prefix, true
	}
	if l.delimiter != "" && strings.HasSuffix(l.after, l.delimiter) && l.common(l.after) == l.after {
		return behind(l.after) // the page before ended with this common prefix
	}
	return l.after + "\x00", true
}

// common is the common prefix that a key belongs to, "" for none.
func (l *walk) common(key string) string {
	if l.delimiter == "" || !strings.HasPrefix(key, l.prefix) {
		return ""
	}
	i := strings.Index(key[len(l.prefix):], l.delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(l.prefix)+i+len(l.delimiter)]
}

// page is what a listing found.
type page struct {
	objects   []*object
	prefixes  []string
	truncated bool
	last      string // the key or common prefix that the next page begins behind
}

func (p *page) count() int { return len(p.objects) + len(p.prefixes) }

// versionPage is a page of ListObjectVersions.
type versionPage struct {
	versions             []listedVersion
	prefixes             []string
	truncated            bool
	nextKey, nextVersion string
}

func (p *versionPage) count() int { return len(p.versions) + len(p.prefixes) }

// add takes a key's versions onto the page; false when it is full before they end.
func (p *versionPage) add(e *entry, l *walk, versionMarker string) bool {
	skipping := versionMarker != "" && e.key == l.after
	for _, o := range e.versions {
		if skipping {
			skipping = o.versionID != versionMarker
			continue
		}
		if p.count() == l.max {
			p.truncated = true
			return false
		}
		p.versions, p.nextKey, p.nextVersion = append(p.versions, listedVersion{o, o == e.versions[0]}), o.key, o.versionID
	}
	return true
}
