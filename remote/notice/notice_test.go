package notice

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

var at = time.Date(2026, 11, 30, 8, 15, 0, 123_000_000, time.UTC)

// s3Event is an event of S3 as text, with what tells servers apart.
func s3Event(source, version, name, key, more string) string {
	quoted, err := json.Marshal(key)
	if err != nil {
		panic(err) // it cannot be
	}
	return `{"eventVersion":"` + version + `","eventSource":"` + source + `","awsRegion":"eu-west-1","eventTime":"2026-11-30T08:15:00.123Z","eventName":"` + name + `",` +
		`"userIdentity":{"principalId":"AWS:AIDA"},"requestParameters":{"sourceIPAddress":"192.0.2.1"},` +
		`"s3":{"s3SchemaVersion":"1.0","configurationId":"ferry","bucket":{"name":"b","ownerIdentity":{"principalId":"A3"},"arn":"arn:aws:s3:::b"},` +
		`"object":{"key":` + string(quoted) + more + `}}}`
}

func records(all ...string) string { return `{"Records":[` + strings.Join(all, ",") + `]}` }

// quote makes a text of a text, as one JSON in another.
func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // it cannot be
	}
	return string(b)
}

const (
	amazonMore = `,"size":5,"eTag":"0cc175b9c0f1b6a831c399e269772661","sequencer":"0055aed6dcd90281e5"`
	gridData   = `{"api":"PutBlockList","clientRequestId":"c","requestId":"r","eTag":"0x8D4BCC2E4835CD0","contentType":"text/plain","contentLength":524288,` +
		`"blobType":"BlockBlob","url":"https://account.blob.core.windows.net/con/d%20e/f%2Bg.txt","sequencer":"00000000000004420000000000028963","storageDiagnostics":{"batchId":"b"}}`
)

func TestWhatServersSend(t *testing.T) {
	amazon := Notice{Bucket: "b", Key: "d/red flower+100%.jpg", Version: "0cc175b9c0f1b6a831c399e269772661", Order: "0055AED6DCD90281E5", Time: at}
	amazonText := records(s3Event("aws:s3", "2.1", "ObjectCreated:Put", "d/red+flower%2B100%25.jpg", amazonMore))
	bridge := `{"version":"0","id":"17793124","detail-type":"%T","source":"aws.s3","account":"111122223333","time":"2026-11-30T08:15:00.123Z","region":"eu-west-1",` +
		`"resources":["arn:aws:s3:::b"],"detail":{"version":"0","bucket":{"name":"b"},"object":{"key":"a+b %41","etag":"e1","version-id":"%V","sequencer":"617f08299329d189"},"reason":"%R","deletion-type":"%D"}}`
	bridged := func(kind, version, reason, deletion string) string {
		return strings.NewReplacer("%T", kind, "%V", version, "%R", reason, "%D", deletion).Replace(bridge)
	}
	grid := func(kind, data string) string {
		return `[{"topic":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/account","subject":"/blobServices/default/containers/con/blobs/d e/f+g.txt",` +
			`"eventType":"` + kind + `","eventTime":"2026-11-30T08:15:00.123Z","id":"831e1650","data":` + data + `,"dataVersion":"","metadataVersion":"1"}]`
	}
	azure := Notice{Bucket: "con", Key: "d e/f+g.txt", Version: "0x8D4BCC2E4835CD0", Order: "00000000000004420000000000028963", Time: at}
	gone := azure
	gone.Version, gone.Removed = "", true
	renamed := `{"api":"RenameFile","destinationUrl":"https://account.dfs.core.windows.net/con/new","sourceUrl":"https://account.dfs.core.windows.net/con/old","sequencer":"1"}`
	for name, test := range map[string]struct {
		text string
		want []Notice
	}{
		"Amazon":     {amazonText, []Notice{amazon}},
		"by SNS":     {`{"Type":"Notification","MessageId":"m","TopicArn":"arn","Subject":"Amazon S3 Notification","Message":` + quote(amazonText) + `,"Timestamp":"2026-11-30T08:15:01Z"}`, []Notice{amazon}},
		"its test":   {`{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"b","RequestId":"r","HostId":"h"}`, nil},
		"SNS begins": {`{"Type":"SubscriptionConfirmation","Token":"t","Message":"You have chosen to subscribe","SubscribeURL":"https://sns"}`, nil},
		"a copy":     {records(s3Event("aws:s3", "2.1", "ObjectCreated:Copy", "f", amazonMore)), []Notice{{Bucket: "b", Key: "f", Order: "0055AED6DCD90281E5", Time: at}}},
		"a removal": {records(s3Event("aws:s3", "2.1", "ObjectRemoved:Delete", "f", `,"sequencer":"0055aed6dcd9"`)),
			[]Notice{{Bucket: "b", Key: "f", Removed: true, Order: "0055AED6DCD9", Time: at}}},
		"a version is removed": {records(s3Event("aws:s3", "2.1", "ObjectRemoved:Delete", "f", `,"versionId":"3sL4"`)), []Notice{{Bucket: "b", Key: "f", Time: at}}},
		"a marker": {records(s3Event("aws:s3", "2.1", "ObjectRemoved:DeleteMarkerCreated", "f", `,"versionId":"3sL4"`)),
			[]Notice{{Bucket: "b", Key: "f", Removed: true, Time: at}}},
		"it expires":     {records(s3Event("aws:s3", "2.3", "LifecycleExpiration:Delete", "f", "")), []Notice{{Bucket: "b", Key: "f", Removed: true, Time: at}}},
		"a tag":          {records(s3Event("aws:s3", "2.3", "ObjectTagging:Put", "f", "")), nil},
		"a broken key":   {records(s3Event("aws:s3", "2.1", "ObjectCreated:Put", "100%", "")), []Notice{{Bucket: "b", Key: "100%", Time: at}}},
		"two":            {records(s3Event("aws:s3", "2.1", "ObjectCreated:Put", "f", ""), s3Event("aws:s3", "2.1", "ObjectCreated:Put", "g", "")), []Notice{{Bucket: "b", Key: "f", Time: at}, {Bucket: "b", Key: "g", Time: at}}},
		"EventBridge":    {bridged("Object Created", "v", "PutObject", ""), []Notice{{Bucket: "b", Key: "a+b %41", Version: "e1", Order: "617F08299329D189", Time: at}}},
		"its copy":       {bridged("Object Created", "v", "CopyObject", ""), []Notice{{Bucket: "b", Key: "a+b %41", Order: "617F08299329D189", Time: at}}},
		"its removal":    {bridged("Object Deleted", "", "DeleteObject", "Permanently Deleted"), []Notice{{Bucket: "b", Key: "a+b %41", Removed: true, Order: "617F08299329D189", Time: at}}},
		"of a version":   {bridged("Object Deleted", "v", "DeleteObject", "Permanently Deleted"), []Notice{{Bucket: "b", Key: "a+b %41", Order: "617F08299329D189", Time: at}}},
		"its marker":     {bridged("Object Deleted", "v", "DeleteObject", "Delete Marker Created"), []Notice{{Bucket: "b", Key: "a+b %41", Removed: true, Order: "617F08299329D189", Time: at}}},
		"its other news": {bridged("Object Access Tier Changed", "v", "", ""), nil},
		"MinIO": {`{"EventName":"s3:ObjectCreated:Put","Key":"b/d/red flower+1.jpg","Records":[` + s3Event("minio:s3", "2.0", "s3:ObjectCreated:Put", "d%2Fred+flower%2B1.jpg", amazonMore) + `]}`,
			[]Notice{{Bucket: "b", Key: "d/red flower+1.jpg", Version: amazon.Version, Order: amazon.Order, Time: at}}},
		"MinIO reads": {records(s3Event("minio:s3", "2.0", "s3:ObjectAccessed:Get", "f", "")), nil},
		"versitygw": {records(s3Event("aws:s3", "2.2", "s3:ObjectCreated:Put", "a+b %41", `,"size":3,"eTag":"\"e1\"","versionId":null,"sequencer":"00000000000000000001"`)),
			[]Notice{{Bucket: "b", Key: "a+b %41", Version: "e1", Time: at}}},
		"versitygw removes": {records(s3Event("aws:s3", "2.2", "s3:ObjectRemoved:DeleteObjects", "a+b", "")), []Notice{{Bucket: "b", Key: "a+b", Removed: true, Time: at}}},
		"versitygw begins":  {`{"Bucket":"Test-Bucket","Event":"s3:TestEvent","Service":"S3","Time":"2026-11-30T08:15:00Z"}`, nil},
		"Ceph": {records(s3Event("ceph:s3", "2.2", "ObjectCreated:Put", "a+b", `,"size":"5","eTag":"e1","versionId":"","sequencer":"F7E6D75DC742D108","metadata":[],"tags":[]`)),
			[]Notice{{Bucket: "b", Key: "a+b", Other: "a b", Version: "e1", Order: "F7E6D75DC742D108", Time: at}}},
		"Ceph expires": {records(s3Event("ceph:s3", "2.2", "ObjectLifecycle:Expiration:Current", "f", "")), []Notice{{Bucket: "b", Key: "f", Removed: true, Time: at}}},
		"Backblaze": {`{"events":[{"accountId":"a","bucketName":"b","eventTimestamp":1796026500123,"eventType":"b2:ObjectCreated:Upload","objectName":"a+b %41","objectSize":10495842,"objectVersionId":"4_z"}]}`,
			[]Notice{{Bucket: "b", Key: "a+b %41", Time: time.UnixMilli(1796026500123)}}},
		"Backblaze hides": {`{"events":[{"bucketName":"b","eventTimestamp":1796026500123,"eventType":"b2:HideMarkerCreated:Hide","objectName":"f","objectSize":null}]}`,
			[]Notice{{Bucket: "b", Key: "f", Removed: true, Time: time.UnixMilli(1796026500123)}}},
		"Event Grid":         {grid("Microsoft.Storage.BlobCreated", gridData), []Notice{azure}},
		"Event Grid removes": {grid("Microsoft.Storage.BlobDeleted", gridData), []Notice{gone}},
		"Event Grid renames": {grid("Microsoft.Storage.BlobRenamed", renamed), []Notice{
			{Bucket: "con", Key: "old", Removed: true, Order: "1", Time: at}, {Bucket: "con", Key: "new", Order: "1", Time: at}}},
		"Event Grid removes a directory": {grid("Microsoft.Storage.DirectoryDeleted", `{"url":"https://account.dfs.core.windows.net/con/d%20e/f%2Bg.txt","recursive":"true"}`),
			[]Notice{{Bucket: "con", Key: "d e/f+g.txt", Below: true, Removed: true, Time: at}}},
		"Event Grid begins": {grid("Microsoft.EventGrid.SubscriptionValidationEvent", `{"validationCode":"512d38b6"}`), nil},
		"CloudEvents": {`{"source":"/subscriptions/s","subject":"/blobServices/default/containers/con/blobs/d e/f+g.txt","type":"Microsoft.Storage.BlobCreated","time":"2026-11-30T08:15:00.123Z","id":"1","data":` + gridData + `,"specversion":"1.0"}`,
			[]Notice{azure}},
		"pushed by Pub/Sub": {`{"message":{"attributes":{"eventType":"OBJECT_FINALIZE","bucketId":"b","objectId":"a+b %41","objectGeneration":"1669","eventTime":"2026-11-30T08:15:00.123Z"},"data":"e30=","messageId":"1"},"subscription":"s"}`,
			[]Notice{{Bucket: "b", Key: "a+b %41", Version: "1669", Order: "00000000000000001669", Time: at}}},
		"in the data of Pub/Sub": {`{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(amazonText)) + `"}}`, []Notice{amazon}},
	} {
		got, err := Parse([]byte(test.text), nil)
		if err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAttributesOfPubSub(t *testing.T) {
	event := func(kind string, more ...string) []Notice {
		a := map[string]string{"eventType": kind, "bucketId": "b", "objectId": "f", "objectGeneration": "10", "eventTime": "2026-11-30T08:15:00.123Z", "payloadFormat": "JSON_API_V1"}
		for i := 0; i < len(more); i += 2 {
			a[more[i]] = more[i+1]
		}
		got, err := Parse([]byte("{"), a)
		if err != nil {
			t.Error(err)
		}
		return got
	}
	n := Notice{Bucket: "b", Key: "f", Order: "00000000000000000010", Time: at}
	stored, removed := n, n
	stored.Version, removed.Removed = "10", true
	for name, test := range map[string]struct{ got, want []Notice }{
		"stored":     {event("OBJECT_FINALIZE", "overwroteGeneration", "9"), []Notice{stored}},
		"removed":    {event("OBJECT_DELETE"), []Notice{removed}},
		"replaced":   {event("OBJECT_DELETE", "overwrittenByGeneration", "11"), []Notice{n}},
		"archived":   {event("OBJECT_ARCHIVE"), []Notice{removed}},
		"a version":  {event("OBJECT_ARCHIVE", "overwrittenByGeneration", "11"), []Notice{n}},
		"its time":   {event("OBJECT_METADATA_UPDATE"), []Notice{n}},
		"other news": {event("SOMETHING"), nil},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s: %+v", name, test.got)
		}
	}
}

func TestWhatIsNoNotification(t *testing.T) {
	for _, text := range []string{
		"", "hello", "{}", "[{}]", "null", "1", `"x"`, `{"Type":"Notification","Message":"hello"}`, `{"eventType":"Contoso.Item","data":{}}`,
		`{"message":{"data":"%"}}`, strings.Repeat("[", 10), `{"specversion":"1.0","type":"com.example","data":{}}`, `{"Records":[{"s3":7}]}`,
	} {
		if got, err := Parse([]byte(text), nil); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
}

func TestNewer(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"2", "1", true}, {"1", "2", false}, {"1", "1", false}, {"0055AED6DCD9", "0055AED6DCD90", false}, {"0055AED6DCD91", "0055AED6DCD9", true},
		{"0055AED6DCD9", "0055AED6DCD8FFFF", true}, {"", "1", false}, {"1", "", false}, {numberOrder("10"), numberOrder("9"), true}, {hexOrder("xyz"), "1", false},
	} {
		if got := Newer(test.a, test.b); got != test.want {
			t.Errorf("%s, %s: %v", test.a, test.b, got)
		}
	}
}

// namer has the keys of one bucket as names.
type namer struct{}

func (namer) ObjectName(bucket, key string) (string, bool) {
	if key == "" {
		key = "."
	}
	return key, bucket == "b" && !strings.Contains(key, "//")
}

func TestWhatANoticeMeans(t *testing.T) {
	for _, test := range []struct {
		n    Notice
		want []remote.Change
	}{
		{Notice{Bucket: "b", Key: "d/f", Version: "1"}, []remote.Change{{Name: "d/f", Version: "1"}}},
		{Notice{Bucket: "b", Key: "a+b", Other: "a b", Version: "1"}, []remote.Change{{Name: "a+b", Version: "1"}, {Name: "a b", Version: "1"}}},
		{Notice{Bucket: "b", Key: "d/", Version: "1"}, []remote.Change{{Name: "d", Dir: true}}},
		{Notice{Bucket: "b", Key: "d", Below: true, Removed: true}, []remote.Change{{Name: "d", Dir: true, Below: true, Removed: true}}},
		{Notice{Bucket: "b", Removed: true}, []remote.Change{remote.Everything()}},
		{Notice{Bucket: "b", Key: "/"}, nil},
		{Notice{Bucket: "b", Key: "a//b"}, nil},
		{Notice{Bucket: "c", Key: "f"}, nil},
	} {
		if got := test.n.Changes(namer{}); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%+v: %+v", test.n, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(records(s3Event("aws:s3", "2.1", "ObjectCreated:Put", "d/red+flower", amazonMore))), "OBJECT_FINALIZE", "7")
	f.Add([]byte(`[{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/con/blobs/f","data":`+gridData+`}]`), "", "")
	f.Add([]byte(`{"Type":"Notification","Message":"{}"}`), "OBJECT_DELETE", "x")
	f.Add([]byte(`{"events":[{}]}`), "", "")
	f.Fuzz(func(t *testing.T, body []byte, kind, generation string) {
		check := func(all []Notice, err error) {
			if err != nil && !errors.Is(err, ErrUnknown) {
				t.Errorf("%v, %v", all, err)
			}
			for _, n := range all {
				if n.Bucket == "" || n.Removed && n.Version != "" || Newer(n.Order, n.Order) || n.Order != "" && Newer(n.Order, "") {
					t.Errorf("%+v", n)
				}
				n.Changes(namer{})
			}
		}
		check(Parse(body, nil))
		check(ParseStream(body))
		check(Parse(body, map[string]string{"eventType": kind, "bucketId": "b", "objectId": string(body), "objectGeneration": generation}))
	})
}
