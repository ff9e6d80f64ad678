package config

import (
	"cmp"

	"syncd/config/extent"
	"syncd/config/fault"
	"syncd/internal/transfer"
)

// overlapRules are the rules for where mappings read and write, and where the state is stored.
type overlapRules struct{ *validator }

// extents returns what a mapping reads and what it writes.
func (v overlapRules) extents(i int) (source, destination extent.Extent) {
	from, to := v.Places(v.Mappings[i])
	path := fault.Item("mappings", i)
	return v.sound(from, path+".source", i), v.sound(to, path+".destination", i)
}

// sound returns the extent of one side of a mapping. If the side has a fault, it returns an extent
// that overlaps nothing.
func (v overlapRules) sound(p transfer.Place, path string, i int) extent.Extent {
	if v.Covers(path+".bucket") || v.Covers(path+".prefix") || v.Covers(path+".endpoint_url") {
		return extent.Extent{}
	}
	e := extentOf(p, path)
	e.Mapping = i
	return e
}

// extentOf returns the extent of a place. It uses the name of the bucket that contains the objects,
// if this name is known.
func extentOf(p transfer.Place, path string) extent.Extent {
	return extent.Extent{Service: areaOf(p), Bucket: cmp.Or(p.Holder(), p.Identity()), Prefix: p.Prefix, Path: path}
}

// overlaps checks that no mapping reads what it writes, that no two mappings write the same keys,
// and that no mapping copies, overwrites or deletes the state.
func (v overlapRules) overlaps() {
	at, _ := v.StatePlace() // zero for a state folder, and overlaps nothing
	state := extentOf(at, "state")
	sources, destinations := make([]extent.Extent, len(v.Mappings)), make([]extent.Extent, len(v.Mappings))
	for i := range v.Mappings {
		source, destination := v.extents(i)
		sources[i], destinations[i] = source, destination
		v.check(!source.Overlaps(destination), destination.Path+".prefix",
			destination.String()+" overlaps the mapping's own source "+source.String(), "use another bucket, or prefixes where neither begins with the other")
		const hint = "use a separate bucket or prefix for the state"
		v.check(!state.Overlaps(source), "state", state.String()+" overlaps "+source.Path+" "+source.String(), hint)
		// The source's owner chooses what is written to a destination. So do not assume that an
		// endpoint with another name is another server.
		v.check(!state.MayOverlap(destination), "state", state.String()+" overlaps "+destination.Path+" "+destination.String(), hint)
		v.check(!state.Nested(destination), "state", state.String()+" overlaps "+destination.Path+" "+destination.String()+
			": the endpoint of one contains the bucket name of the other", "use the same endpoint for both, without a bucket in it")
	}
	for earlier, later := range extent.Overlapping(destinations) {
		v.fault(later.Path+".prefix", later.String()+" overlaps "+earlier.Path+" "+earlier.String(), "use a separate prefix for each mapping")
	}
	if !v.Full() {
		v.circles(sources, destinations)
	}
}

// circles rejects mappings whose copies return to their own source. Each mapping would overwrite
// the source of the next one, and every copy would look like a change, so copying would never end.
func (v overlapRules) circles(sources, destinations []extent.Extent) {
	if i := extent.Circle(sources, destinations); i >= 0 {
		v.fault(destinations[i].Path, "its objects are copied back to the mapping's own source", "break the circle: give one of its mappings another prefix")
	}
}
