package plan

import (
	"math"

	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Terms are what the price and the time of a pass depend on beside its objects; the zero Terms are
// those of a server-side copy within one region, without a Bucket Key.
type Terms struct {
	// Settings are how objects move.
	transfer.Settings
	// Sweeps says that unfinished uploads are looked for after a pass that copied in parts.
	Sweeps bool
	// BucketKey says that copies are made with an S3 Bucket Key.
	BucketKey bool
	// Source and Destination are the two sides: their regions decide what transfer costs, and the
	// source's payer who pays.
	Source, Destination transfer.Place
	// ReaderIsOwner and WriterIsOwner say that the role of that side belongs to the account that
	// owns the source.
	ReaderIsOwner, WriterIsOwner bool
	// Pace bounds the time.
	Pace Pace
}

// Quote is what a pass sends and costs, as far as it can be known before. Its JSON form is a
// contract: docs/cli.md describes it.
type Quote struct {
	// Requests counts the requests to S3 by operation, without retries.
	Requests map[string]int64 `json:"requests"`
	// KMSRequests estimates the requests that S3 sends to KMS, by operation.
	KMSRequests map[string]float64 `json:"kms_requests"`
	// Dollars is the price of all that.
	Dollars Dollars `json:"dollars"`

	bytes   int64 // of content
	largest int64 // bytes that one request moves
}

// Dollars is a price in US dollars: the whole, the same by what is paid for, and the same by who
// pays.
type Dollars struct {
	Total     float64 `json:"total"`
	Requests  float64 `json:"requests"`
	KMS       float64 `json:"kms"`
	Transfer  float64 `json:"transfer"`
	Retrieval float64 `json:"retrieval"`
	// Owner is what the account pays that owns the source, Consumer what the other one does.
	Owner    float64 `json:"owner"`
	Consumer float64 `json:"consumer"`
}

// Quoter prices requests and copies. It is safe for concurrent use.
type Quoter struct {
	t        Terms
	classes  map[string]rates
	standard rates
	kms      float64 // dollars a request
	sent     float64 // the part of the requests for the destination's key that a Bucket Key does not save
	transfer float64 // dollars a byte from bucket to bucket
}

// NewQuoter returns a Quoter by the list prices of [Prices].
func NewQuoter(t Terms) Quoter {
	classes := classRates()
	q := Quoter{t: t, classes: classes, standard: classes[standard], kms: price("", kmsRequests), sent: 1}
	if t.BucketKey {
		q.sent = bucketKeySends
	}
	if !t.Relay {
		q.transfer = between(t.Source.Region, t.Destination.Region)
	}
	return q
}

func (q Quoter) ratesOf(class string) rates {
	if r, ok := q.classes[class]; ok {
		return r
	}
	return q.standard
}

// Request returns what one request of the operation costs in dollars, with the requests to KMS
// behind it, of an object in STANDARD to one in STANDARD. An operation that S3 does not charge for
// costs nothing.
func (q Quoter) Request(operation string) float64 {
	var one Quote
	q.send(&one, operation, 1, q.standard, q.standard)
	return one.Dollars.Total
}

// Beyond returns what a copy of the object costs in dollars beyond the price of its requests by
// Request: the fee for its retrieval, its way to another region, and what its storage classes cost
// more than STANDARD.
func (q Quoter) Beyond(o listing.Object) float64 {
	var whole Quote
	q.AddCopy(&whole, o)
	for operation, n := range whole.Requests {
		whole.Dollars.Total -= float64(n) * q.Request(operation)
	}
	return max(whole.Dollars.Total, 0)
}

// AddCopy adds a copy of the object.
func (q Quoter) AddCopy(to *Quote, o listing.Object) {
	from, into := q.ratesOf(o.StorageClass), q.ratesOf(q.t.ClassOf(o.StorageClass))
	for operation, n := range q.t.requests(o) {
		q.send(to, operation, n, from, into)
	}
	to.bytes += o.Size
	to.largest = max(to.largest, q.t.piece(o.Size))
	bytes := float64(o.Size)
	q.bill(to, &to.Dollars.Retrieval, bytes*from.retrieval, q.sourcePaidByOwner())
	// "If the copy source is in a different region, the data transfer is billed to the copy source
	// account" (Amazon S3 API Reference, CopyObject).
	q.bill(to, &to.Dollars.Transfer, bytes*q.transfer, q.sourcePaidByOwner())
}

// AddLook adds what it takes to find out whether a copy that is there can be adopted.
func (q Quoter) AddLook(to *Quote, o listing.Object) {
	from, into := q.ratesOf(o.StorageClass), q.ratesOf(q.t.ClassOf(o.StorageClass))
	count(&to.Requests, headObject, 2)
	q.bill(to, &to.Dollars.Requests, from.read, q.sourcePaidByOwner())
	q.bill(to, &to.Dollars.Requests, into.read, false)
	q.ask(to, decrypt, 1, q.t.ReaderIsOwner)
	q.ask(to, decrypt, 1, q.t.WriterIsOwner)
}

// AddPages adds pages of listings: of the source, and of the destination beside it.
func (q Quoter) AddPages(to *Quote, source, destination int64) {
	count(&to.Requests, listObjects, source+destination)
	q.bill(to, &to.Dollars.Requests, float64(source)*q.standard.write, q.sourcePaidByOwner())
	q.bill(to, &to.Dollars.Requests, float64(destination)*q.standard.write, false)
}

// AddEnd adds what a pass sends after its last copy.
func (q Quoter) AddEnd(to *Quote) {
	if q.t.Sweeps && to.Requests[createUpload] > 0 {
		q.send(to, listUploads, 1, q.standard, q.standard)
	}
}

// Rounded returns the price to a billionth of a dollar, beyond which sums of fractions only make
// noise.
func (d Dollars) Rounded() Dollars {
	for _, item := range []*float64{&d.Total, &d.Requests, &d.KMS, &d.Transfer, &d.Retrieval, &d.Owner, &d.Consumer} {
		*item = math.Round(*item*1e9) / 1e9
	}
	return d
}

// send adds n requests of an operation, from a class into a class.
func (q Quoter) send(to *Quote, operation string, n int64, from, into rates) {
	count(&to.Requests, operation, n)
	a, times := actOf(operation), float64(n)
	if a.atSource {
		q.bill(to, &to.Dollars.Requests, times*from.of(a.tier), q.sourcePaidByOwner())
	} else {
		q.bill(to, &to.Dollars.Requests, times*into.of(a.tier), false)
	}
	// S3 asks KMS as whoever asked S3, whose account pays (AWS KMS Developer Guide, "Allowing users
	// in other accounts to use a KMS key"). Whether the source has Bucket Keys is not known, so all
	// its requests are counted.
	q.ask(to, decrypt, times*a.opens, q.t.ReaderIsOwner)
	q.ask(to, generateDataKey, times*a.seals*q.sent, q.t.WriterIsOwner)
	q.ask(to, decrypt, times*a.reopens*q.sent, q.t.WriterIsOwner)
}

func (q Quoter) ask(to *Quote, operation string, n float64, paidByOwner bool) {
	if n == 0 {
		return
	}
	count(&to.KMSRequests, operation, n)
	q.bill(to, &to.Dollars.KMS, n*q.kms, paidByOwner)
}

func (q Quoter) bill(to *Quote, item *float64, dollars float64, paidByOwner bool) {
	*item += dollars
	to.Dollars.Total += dollars
	if paidByOwner {
		to.Dollars.Owner += dollars
	} else {
		to.Dollars.Consumer += dollars
	}
}

// sourcePaidByOwner says who pays for requests to the source and for what they read: the bucket's
// owner, or else the account of the role that asks (Amazon S3 User Guide, "Using Requester Pays
// general purpose buckets").
func (q Quoter) sourcePaidByOwner() bool { return !q.t.Source.RequestPayer || q.t.ReaderIsOwner }

func count[N int64 | float64](in *map[string]N, name string, n N) {
	if n == 0 {
		return
	}
	if *in == nil {
		*in = map[string]N{}
	}
	(*in)[name] += n
}

// priced reports whether the table has the prices of writing into a class.
func (q Quoter) priced(class string) bool {
	_, ok := q.classes[class]
	return ok || class == ""
}

// NotCounted says what a quote leaves out, for people.
func (q Quoter) NotCounted() []string {
	left := []string{
		"storage, which is billed by the month",
		"retries, and requests to STS",
		"the monthly free tiers and discounts",
	}
	if q.t.Annotations {
		left = append(left, "annotations, each of which is billed like a PUT")
	}
	if q.t.Relay {
		left = append(left, "transfer to and from where syncd runs, which depends on where that is")
	}
	switch class := q.t.StorageClass; {
	case q.t.KeepStorageClass:
		left = append(left, "what storage classes without prices of their own here cost more than STANDARD")
	case !q.priced(class):
		left = append(left, "what writing into "+class+" costs more than into STANDARD")
	}
	return left
}
