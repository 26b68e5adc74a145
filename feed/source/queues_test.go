package source

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ferry/remote"
)

// newSQS answers as Amazon SQS does.
func startSQS(t *testing.T) *double {
	return newDouble(t, func(s *double, w http.ResponseWriter, r *http.Request, body map[string]any) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=AKID/") || !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/sqs/aws4_request") ||
			body["QueueUrl"] != s.URL+"/123456789012/ferry" || r.Header.Get("Content-Type") != "application/x-amz-json-1.0" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"__type":"com.amazonaws.sqs#InvalidSecurity"}`)
			return
		}
		switch r.Header.Get("X-Amz-Target") {
		case "AmazonSQS.ReceiveMessage":
			var all []map[string]any
			for receipt, m := range s.waiting {
				all = append(all, map[string]any{"MessageId": "m", "ReceiptHandle": receipt, "Body": m, "MD5OfBody": "x"})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"Messages": all})
		case "AmazonSQS.DeleteMessageBatch":
			entries, _ := body["Entries"].([]any)
			for _, e := range entries {
				one, _ := e.(map[string]any)
				delete(s.waiting, fmt.Sprint(one["ReceiptHandle"]))
			}
			fmt.Fprint(w, `{"Successful":[],"Failed":[]}`)
		}
	})
}

// startPubSub answers as Google Pub/Sub does.
func startPubSub(t *testing.T) *double {
	return newDouble(t, func(s *double, w http.ResponseWriter, r *http.Request, body map[string]any) {
		switch r.URL.Path {
		case "/v1/projects/project/subscriptions/ferry:pull":
			var all []map[string]any
			for receipt, m := range s.waiting {
				all = append(all, map[string]any{"ackId": receipt, "message": m})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"receivedMessages": all})
		case "/v1/projects/project/subscriptions/ferry:acknowledge":
			ids, _ := body["ackIds"].([]any)
			for _, id := range ids {
				delete(s.waiting, fmt.Sprint(id))
			}
			fmt.Fprint(w, "{}")
		default:
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `{"error":{"code":404,"status":"NOT_FOUND"}}`)
		}
	})
}

// startAzure answers as a queue of Azure Storage does.
func startAzure(t *testing.T, admits func(*http.Request) bool) *double {
	type message struct {
		ID      string `xml:"MessageId"`
		Receipt string `xml:"PopReceipt"`
		Text    any    `xml:"MessageText"`
	}
	return newDouble(t, func(s *double, w http.ResponseWriter, r *http.Request, _ map[string]any) {
		if !admits(r) || r.Header.Get("X-Ms-Version") == "" {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<?xml version="1.0" encoding="utf-8"?><Error><Code>AuthenticationFailed</Code><Message>no</Message></Error>`)
			return
		}
		if r.Method == http.MethodDelete {
			delete(s.waiting, r.URL.Query().Get("popreceipt"))
			w.WriteHeader(http.StatusNoContent)
			return
		}
		var list struct {
			XMLName  xml.Name  `xml:"QueueMessagesList"`
			Messages []message `xml:"QueueMessage"`
		}
		for receipt, m := range s.waiting {
			list.Messages = append(list.Messages, message{"id/1", receipt, m})
		}
		_ = xml.NewEncoder(w).Encode(list)
	})
}

func TestQueues(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
	t.Setenv("PUBSUB_EMULATOR_HOST", "")
	t.Setenv("AZURE_STORAGE_KEY", "")
	sqs, pubsub := startSQS(t), startPubSub(t)
	azure := startAzure(t, func(r *http.Request) bool { return r.URL.Query().Get("sig") == "s=1" })
	for name, test := range map[string]struct {
		double  *double
		url     string
		message func(key string) any
	}{
		"Amazon SQS": {sqs, "sqs://" + strings.TrimPrefix(sqs.URL, "http://") + "/123456789012/ferry?tls=false&region=eu-west-1", func(key string) any { return event(key) }},
		"Google Pub/Sub": {pubsub, "pubsub://project/ferry?endpoint=" + pubsub.URL, func(key string) any {
			return map[string]any{"data": "e30=", "attributes": map[string]string{"eventType": "OBJECT_FINALIZE", "bucketId": "b", "objectId": key, "objectGeneration": "7"}}
		}},
		"Azure": {azure, "azqueue://account/ferry?endpoint=" + azure.URL + "/account&sas=sig%3Ds%253D1", func(key string) any {
			return base64.StdEncoding.EncodeToString([]byte(`{"eventType":"Microsoft.Storage.BlobCreated","subject":"/blobServices/default/containers/b/blobs/` + key + `","data":{"eTag":"7"}}`))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			version := "7"
			if name == "Amazon SQS" {
				version = "v"
			}
			changed := func(name string) remote.Change { return remote.Change{Name: name, Version: version} }
			s := open(t, test.url)
			r, ok := s.(*reader)
			if !ok {
				t.Fatal("it is no queue")
			}
			if r.pause > 0 {
				r.pause = 10 * time.Millisecond
			}
			l := listenTo(t, s)
			l.wants(remote.Everything())
			test.double.put(test.message("a"))
			l.wants(changed("a"))
			until(t, "the message stays", test.double.empty)
			for len(l.changes) > 0 { // it may have come twice
				l.wants(changed("a"))
			}
			// The queue keeps what it has while it is not reached.
			test.double.fail(1)
			until(t, "nobody asks", test.double.failed)
			test.double.put(test.message("b"))
			l.wants(changed("b"))
			until(t, "the message stays", test.double.empty)
			if got := l.feed.Status(); got.Gaps != 1 || got.Results[4] != 0 {
				t.Errorf("%+v", got)
			}
		})
	}
}

// A queue that was not reached for longer than it may keep messages has lost some.
func TestAQueueThatWasAwayForLong(t *testing.T) {
	d := startPubSub(t)
	s := open(t, "pubsub://project/ferry?endpoint="+d.URL)
	r, ok := s.(*reader)
	if !ok {
		t.Fatal("it is no queue")
	}
	r.last = time.Now().Add(-2 * keepTime)
	l := listenTo(t, s)
	l.wants(remote.Everything())
	if got := l.feed.Status().Gaps; got != 1 {
		t.Errorf("%d gaps", got)
	}
}

func TestTheKeyOfAnAccountAtAzure(t *testing.T) {
	key := []byte("a key of some length")
	t.Setenv("AZURE_STORAGE_KEY", base64.StdEncoding.EncodeToString(key))
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "")
	d := startAzure(t, func(r *http.Request) bool {
		text := "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:" + r.Header.Get("X-Ms-Date") + "\nx-ms-version:2021-12-02\n/account/account/ferry/messages\nnumofmessages:32\nvisibilitytimeout:60"
		m := hmac.New(sha256.New, key)
		m.Write([]byte(text))
		return r.Header.Get("Authorization") == "SharedKey account:"+base64.StdEncoding.EncodeToString(m.Sum(nil))
	})
	listen(t, "azqueue://account/ferry?endpoint="+d.URL+"/account").wants(remote.Everything())
}

func TestQueuesThatRefuse(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "other")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s3cret")
	t.Setenv("AZURE_STORAGE_KEY", "")
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "")
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "WorkloadIdentityCredential")
	t.Setenv("AZURE_CLIENT_ID", "")
	sqs, pubsub := startSQS(t), startPubSub(t)
	azure := startAzure(t, func(*http.Request) bool { return false })
	for text, want := range map[string]string{
		"sqs://" + strings.TrimPrefix(sqs.URL, "http://") + "/123456789012/ferry?tls=false&region=eu-west-1": "400 com.amazonaws.sqs#InvalidSecurity",
		"pubsub://project/none?endpoint=" + pubsub.URL:                                                       "404 NOT_FOUND",
		"azqueue://account/ferry?sas=sig%3Ds3cret&endpoint=" + azure.URL:                                     "403 AuthenticationFailed",
		"azqueue://account/ferry?sas=sig%3Ds3cret&endpoint=http://127.0.0.1:1":                               "refused",
		"azqueue://account/ferry": "set AZURE_STORAGE_KEY",
	} {
		err := open(t, text).Listen(t.Context(), nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", text, err)
		}
	}
}
