package plan

// Price is one list price and its source.
type Price struct {
	// Class is the storage class that the price applies to, "" for all classes.
	Class string
	// Name is the item that is paid for. Unit is the amount of the item that costs Dollars.
	Name, Unit string
	// Dollars is the price of one unit in US dollars. Per is the number of requests or bytes in a
	// unit.
	Dollars float64
	Per     int64
	// Source is where the price was published. Read is the month in which it was read, as YYYY-MM.
	Source, Read string
}

// PricesRegion is the region of the list prices. PricesRead is the month in which the oldest of
// these prices was read.
const (
	PricesRegion = "us-east-1"
	PricesRead   = "2026-11"
)

// The names of the prices.
const (
	writeRequests     = "PUT, COPY, POST and LIST requests"
	readRequests      = "GET and HEAD requests"
	kmsRequests       = "KMS requests with a symmetric key"
	retrievedBytes    = "retrieval"
	transferredBytes  = "transfer to another region"
	transferInTheEast = "transfer between us-east-1 and us-east-2"
)

// bucketKeySends is the share of the requests to KMS that are sent despite a Bucket Key, which
// saves "up to 99 percent" (Amazon S3 User Guide, "Reducing the cost of SSE-KMS with Amazon S3
// Bucket Keys").
const bucketKeySends = 0.01

// gigabyte is S3's unit for billing, in bytes.
const gigabyte = 1 << 30

// Where the prices were read. AWS's own pages need a browser to display them.
const (
	requestPrices   = "aws.amazon.com/s3/pricing, as quoted by c3x.dev/blog/s3-request-fees-explained"
	retrievalPrices = "aws.amazon.com/s3/pricing, as quoted by techlama.blog/posts/s3-storage-classes-cost.html"
	transferPrices  = "aws.amazon.com/s3/pricing, second hand"
	kmsPrices       = "aws.amazon.com/kms/pricing, as quoted by cloudburn.io/blog/aws-kms-pricing"
)

// standard is the storage class of objects for which the service reports no class.
const standard = "STANDARD"

// Prices returns the only table of prices. It contains list prices in us-east-1, which are the same
// in us-west-2 and differ in other regions. A class without its own prices for requests is priced
// as STANDARD.
func Prices() []Price {
	request := func(class, name string, thousand float64) Price {
		return Price{Class: class, Name: name, Unit: "1,000 requests", Dollars: thousand, Per: 1000, Source: requestPrices, Read: PricesRead}
	}
	moved := func(class, name string, gigabytes float64, source string) Price {
		return Price{Class: class, Name: name, Unit: "GB", Dollars: gigabytes, Per: gigabyte, Source: source, Read: PricesRead}
	}
	return []Price{
		request(standard, writeRequests, 0.005),
		request(standard, readRequests, 0.0004),
		request("STANDARD_IA", writeRequests, 0.01),
		request("STANDARD_IA", readRequests, 0.001),
		request("ONEZONE_IA", writeRequests, 0.01),
		request("ONEZONE_IA", readRequests, 0.001),
		request("GLACIER_IR", writeRequests, 0.02),
		request("GLACIER_IR", readRequests, 0.01),
		moved("STANDARD_IA", retrievedBytes, 0.01, retrievalPrices),
		moved("ONEZONE_IA", retrievedBytes, 0.01, retrievalPrices),
		moved("GLACIER_IR", retrievedBytes, 0.03, retrievalPrices),
		moved("", transferredBytes, 0.02, transferPrices),
		moved("", transferInTheEast, 0.01, transferPrices),
		{Name: kmsRequests, Unit: "10,000 requests", Dollars: 0.03, Per: 10_000, Source: kmsPrices, Read: PricesRead},
	}
}

// price returns the price of one request or byte, or 0 if the table has no such price.
func price(class, name string) float64 {
	for _, p := range Prices() {
		if p.Class == class && p.Name == name {
			return p.Dollars / float64(p.Per)
		}
	}
	return 0
}

// rates are the prices of one storage class: per request that writes or lists, per request that
// reads, and per byte retrieved.
type rates struct{ write, read, retrieval float64 }

// classRates returns the rates of the storage classes that have their own prices.
func classRates() map[string]rates {
	all := map[string]rates{}
	for _, p := range Prices() {
		if p.Class != "" {
			all[p.Class] = rates{price(p.Class, writeRequests), price(p.Class, readRequests), price(p.Class, retrievedBytes)}
		}
	}
	return all
}

func (r rates) of(t tier) float64 {
	switch t {
	case writes:
		return r.write
	case reads:
		return r.read
	case free:
	}
	return 0
}

// between returns the price of transferring a byte from one region to another.
func between(from, to string) float64 {
	east := func(region string) bool { return region == "us-east-1" || region == "us-east-2" }
	switch {
	case from == to:
		return 0
	case east(from) && east(to):
		return price("", transferInTheEast)
	default:
		return price("", transferredBytes)
	}
}
