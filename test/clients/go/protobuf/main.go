// Reads objects in Kubernetes's protobuf, in base64, a line each, and writes each as Kubernetes's own machinery understands
// it: as JSON and as protobuf again, both in base64.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"os"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/runtime/serializer/protobuf"
	"k8s.io/client-go/kubernetes/scheme"
)

const longestLine = 16 << 20

func translate(line string) (string, error) {
	body, err := base64.StdEncoding.DecodeString(line)
	if err != nil {
		return "", err
	}
	binary := protobuf.NewSerializer(scheme.Scheme, scheme.Scheme)
	text := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{})
	object, _, err := binary.Decode(body, nil, nil)
	if err != nil {
		return "", err
	}
	var asText, asBinary bytes.Buffer
	if err := text.Encode(object, &asText); err != nil {
		return "", err
	}
	if err := binary.Encode(object, &asBinary); err != nil {
		return "", err
	}
	encode := base64.StdEncoding.EncodeToString
	return encode(asText.Bytes()) + " " + encode(asBinary.Bytes()), nil
}

func main() {
	if err := apiextensions.AddToScheme(scheme.Scheme); err != nil {
		panic(err)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<20), longestLine)
	for lines.Scan() {
		answer, err := translate(lines.Text())
		if err != nil {
			answer = "error " + base64.StdEncoding.EncodeToString([]byte(err.Error()))
		}
		fmt.Println(answer)
	}
}
