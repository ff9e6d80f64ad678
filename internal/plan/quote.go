package plan

import (
	"math"

	"syncd/internal/listing"
	"syncd/internal/transfer"
)

// Terms contains the settings that, together with the objects, determine the price and time of a
// pass. The zero Terms describe a server-side copy within one region, without a Bucket Key.
type Terms struct {
	// Settings define how objects are copied.
	transfer.Settings
	// Sweeps means that a pass with multipart copies lists unfinished uploads at its end.
	Sweeps bool
	// BucketKey means that copies use an S3 Bucket Key.
	BucketKey bool
	// Source and Destination are the two sides. Their regions determine the price of transfer, and
	// the source's payer setting determines who pays.
	Source, Destination transfer.Place
	// ReaderIsOwner and WriterIsOwner mean that the role that reads the source, or the role that
	// writes the destination, belongs to the account that owns the source.
	ReaderIsOwner, WriterIsOwner bool
	// Pace limits the speed.
	Pace Pace
}

// Quote is an estimate of the requests and the price of a pass. Its JSON form is a contract that
// docs/cli.md describes.
type Quote struct {
	// Requests counts the requests to S3 by operation, without retries.
	Requests map[string]int64 `json:"requests"`
	// KMSRequests estimates the requests that S3 sends to KMS, by operation.
	KMSRequests map[string]float64 `json:"kms_requests"`
	// Dollars is the total price.
	Dollars Dollars `json:"dollars"`

	bytes   int64 // bytes of content
	largest int64 // most bytes moved by one request
}

// Dollars is a price in US dollars: the total, its parts by item, and its parts by payer.
type Dollars struct {
	Total     float64 `json:"total"`
	Requests  float64 `json:"requests"`
	KMS       float64 `json:"kms"`
	Transfer  float64 `json:"transfer"`
	Retrieval float64 `json:"retrieval"`
	// Owner is the part that the account that owns the source pays, and Consumer is the part that
	// the other account pays.
	Owner    float64 `json:"owner"`
	Consumer float64 `json:"consumer"`
}

// Quoter estimates the price of requests and copies. It is safe for concurrent use.
type Quoter struct {
	t        Terms
	classes  map[string]rates
	standard rates
	kms      float64 // dollars per request
	sent     float64 // share of the requests for the destination's KMS key that are sent in spite of a Bucket Key
	transfer float64 // dollars per byte from bucket to bucket
}

// NewQuoter returns a Quoter that uses the list prices in [Prices].
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

// Request returns the price in dollars of one request of the operation between STANDARD objects,
// including the requests to KMS that it causes. It is 0 if S3 does not charge for the operation.
func (q Quoter) Request(operation string) float64 {
	var one Quote
	q.send(&one, operation, 1, q.standard, q.standard)
	return one.Dollars.Total
}

// Beyond returns the cost in dollars of a copy of the object in addition to the prices that Request
// returns for its requests: the retrieval fee, transfer to another region, and the extra cost of
// requests if the storage class of the object or of the copy is not STANDARD.
func (q Quoter) Beyond(o listing.Object) float64 {
	var whole Quote
	q.AddCopy(&whole, o)
	for operation, n := range whole.Requests {
		whole.Dollars.Total -= float64(n) * q.Request(operation)
	}
	return max(whole.Dollars.Total, 0)
}

// AddCopy adds the requests and the price of a copy of the object to a quote.
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

// AddLook adds the requests that check whether an existing copy can be adopted.
func (q Quoter) AddLook(to *Quote, o listing.Object) {
	from, into := q.ratesOf(o.StorageClass), q.ratesOf(q.t.ClassOf(o.StorageClass))
	count(&to.Requests, headObject, 2)
	q.bill(to, &to.Dollars.Requests, from.read, q.sourcePaidByOwner())
	q.bill(to, &to.Dollars.Requests, into.read, false)
	q.ask(to, decrypt, 1, q.t.ReaderIsOwner)
	q.ask(to, decrypt, 1, q.t.WriterIsOwner)
}

// AddPages adds the requests for the given numbers of listing pages of the source and the
// destination.
func (q Quoter) AddPages(to *Quote, source, destination int64) {
	count(&to.Requests, listObjects, source+destination)
	q.bill(to, &to.Dollars.Requests, float64(source)*q.standard.write, q.sourcePaidByOwner())
	q.bill(to, &to.Dollars.Requests, float64(destination)*q.standard.write, false)
}

// AddDeletes adds the requests for a number of deletes, whose keys are listed again with the given number
// of requests.
func (q Quoter) AddDeletes(to *Quote, deletes, relists int64) {
	if deletes == 0 {
		return
	}
	q.AddPages(to, relists, 0)
	count(&to.Requests, deleteObjects, (deletes+transfer.MaxDeleteKeys-1)/transfer.MaxDeleteKeys)
}

// AddEnd adds the requests that a pass sends after its last copy.
func (q Quoter) AddEnd(to *Quote) {
	if q.t.Sweeps && to.Requests[createUpload] > 0 {
		q.send(to, listUploads, 1, q.standard, q.standard)
	}
}

// Rounded returns the price rounded to a billionth of a dollar. Smaller fractions are rounding
// noise.
func (d Dollars) Rounded() Dollars {
	for _, item := range []*float64{&d.Total, &d.Requests, &d.KMS, &d.Transfer, &d.Retrieval, &d.Owner, &d.Consumer} {
		*item = math.Round(*item*1e9) / 1e9
	}
	return d
}

// send adds n requests of an operation, from one storage class to another.
func (q Quoter) send(to *Quote, operation string, n int64, from, into rates) {
	count(&to.Requests, operation, n)
	a, times := actOf(operation), float64(n)
	if a.atSource {
		q.bill(to, &to.Dollars.Requests, times*from.of(a.tier), q.sourcePaidByOwner())
	} else {
		q.bill(to, &to.Dollars.Requests, times*into.of(a.tier), false)
	}
	// S3 calls KMS on behalf of the requester, whose account pays (AWS KMS Developer Guide,
	// "Allowing users in other accounts to use a KMS key"). syncd does not know whether the source
	// uses Bucket Keys, so all requests for the source's key are counted.
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

// sourcePaidByOwner reports whether the source's owner pays for requests to the source and for the
// data that is read. Otherwise the account of the requesting role pays (Amazon S3 User Guide,
// "Using Requester Pays general purpose buckets").
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

// priced reports whether Prices has prices for writing to a storage class.
func (q Quoter) priced(class string) bool {
	_, ok := q.classes[class]
	return ok || class == ""
}

// NotCounted returns the costs that a quote does not include, as text for users.
func (q Quoter) NotCounted() []string {
	left := []string{
		"storage, which is billed by the month",
		"retries, and requests to STS",
		"the monthly free tiers and discounts",
	}
	if q.t.Annotations {
		left = append(left, "annotations, each billed like a PUT")
	}
	if q.t.Relay {
		left = append(left, "data transfer to and from the host of syncd, which depends on its location")
	}
	switch class := q.t.StorageClass; {
	case q.t.KeepStorageClass:
		left = append(left, "the extra cost, over STANDARD, of storage classes without prices in this table")
	case !q.priced(class):
		left = append(left, "the extra cost of writing to "+class+" instead of STANDARD")
	}
	return left
}
