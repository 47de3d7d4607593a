/**
 * What `kubectl explain` says of the types and fields that people ask for most, in our own words. types.json has no prose;
 * what is not here is shown without.
 */

/** `TYPE` or `TYPE.FIELD`, as types.json names them. */
export const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'core/v1.Service':
    'A name under which something answers, with an address of its own (or none), and the ports that it answers on.',
  'core/v1.Service.spec': 'What the service shall be.',
  'core/v1.Service.status': 'What a load balancer has made of it.',
  'core/v1.ServiceSpec': 'How a service is reached and who answers.',
  'core/v1.ServiceSpec.ports': 'The ports on which the service answers. More than one need names.',
  'core/v1.ServiceSpec.selector':
    'Labels of the pods that answer. Without it nobody but you writes the service’s EndpointSlices. Ignored for type ExternalName.',
  'core/v1.ServiceSpec.clusterIP':
    'The address inside the cluster. Left out, a free one is given; "None" makes the service headless, so that its name resolves to the addresses of its endpoints; a free address of the cluster’s range is taken as asked. It stays until the type becomes ExternalName.',
  'core/v1.ServiceSpec.clusterIPs':
    'The addresses inside the cluster, one a family, at most two. The first is always the same as clusterIP.',
  'core/v1.ServiceSpec.type':
    'How the service is reached: ClusterIP from inside the cluster; NodePort also on a port of every node; LoadBalancer also through a balancer; ExternalName is an alias for a name elsewhere.',
  'core/v1.ServiceSpec.externalName':
    'The name that this service is another name for (type ExternalName): DNS answers with a CNAME to it.',
  'core/v1.ServiceSpec.externalIPs':
    'Further addresses, routed to the nodes by you, on which nodes take traffic for the service.',
  'core/v1.ServiceSpec.sessionAffinity': 'ClientIP sends a client to the same endpoint each time; None does not.',
  'core/v1.ServiceSpec.publishNotReadyAddresses':
    'Whether DNS names endpoints that are not ready: for members of a group that must find each other to become so.',
  'core/v1.ServiceSpec.ipFamilies': 'The address families of the service, IPv4 or IPv6, in the order of its addresses.',
  'core/v1.ServiceSpec.ipFamilyPolicy':
    'SingleStack, PreferDualStack (two families where the cluster has them) or RequireDualStack (two or refused).',
  'core/v1.ServiceSpec.internalTrafficPolicy':
    'Local keeps traffic from inside the cluster on the node it comes from; Cluster does not.',
  'core/v1.ServiceSpec.externalTrafficPolicy':
    'Local keeps traffic from outside on the node where it arrives, which preserves its source; Cluster does not.',
  'core/v1.ServiceSpec.trafficDistribution':
    'Which endpoints are preferred: PreferSameZone (or PreferClose) or PreferSameNode.',
  'core/v1.ServicePort': 'One port of a service.',
  'core/v1.ServicePort.name':
    'A DNS label. It is part of the port’s SRV name, and the same name stands in EndpointSlices.',
  'core/v1.ServicePort.protocol': 'TCP, UDP or SCTP. TCP where it is left out.',
  'core/v1.ServicePort.port': 'The number on which the service answers.',
  'core/v1.ServicePort.targetPort':
    'The number, or a container port’s name, on which endpoints answer. The same as port where it is left out.',
  'core/v1.ServicePort.nodePort':
    'The number on every node (types NodePort and LoadBalancer); one is given where it is left out.',
  'core/v1.ServicePort.appProtocol':
    'What is spoken on the port, as a hint: a name of IANA’s or one with a domain before it.',
  'core/v1.Namespace': 'A part of the cluster with names of its own. Deleting it deletes all that is in it.',
  'core/v1.NamespaceSpec.finalizers': 'Who must agree before the namespace goes. Changed through /finalize only.',
  'core/v1.NamespaceStatus.phase': 'Active, or Terminating while it is being emptied.',
  'core/v1.Pod': 'Containers that run on one node, share its network address and live together.',
  'core/v1.Pod.spec': 'What shall run.',
  'core/v1.Pod.status': 'What runs, as the node tells it.',
  'core/v1.PodSpec.containers': 'The containers; at least one.',
  'core/v1.PodSpec.initContainers': 'Containers that run to their end, one after another, before the others start.',
  'core/v1.PodSpec.nodeName': 'The node that runs the pod.',
  'core/v1.PodSpec.restartPolicy': 'Whether containers that ended are started again: Always, OnFailure or Never.',
  'core/v1.PodSpec.hostname':
    'The pod’s host name. With subdomain it is a name in DNS where a headless service of that name selects the pod.',
  'core/v1.PodSpec.subdomain':
    'The headless service below which the pod has a name: HOSTNAME.SUBDOMAIN.NAMESPACE.svc.DOMAIN.',
  'core/v1.PodSpec.dnsPolicy':
    'What the pod’s resolv.conf says: ClusterFirst asks the cluster’s DNS, Default is the node’s own, None is dnsConfig alone, ClusterFirstWithHostNet is ClusterFirst for pods on the host’s network.',
  'core/v1.PodSpec.dnsConfig': 'Name servers, search paths and options that are added to the pod’s resolv.conf.',
  'core/v1.Container.name': 'A DNS label, unique in the pod.',
  'core/v1.Container.image': 'The image that is run.',
  'core/v1.Container.ports':
    'Ports that the container listens on. A list for people and for services that name one; ports that are not listed are reachable too.',
  'core/v1.Container.env': 'Environment variables.',
  'core/v1.Node': 'A machine that runs pods.',
  'core/v1.ConfigMap': 'Text and bytes by key, for pods to read.',
  'core/v1.ConfigMap.data': 'Text by key.',
  'core/v1.ConfigMap.binaryData': 'Bytes by key, in base64.',
  'core/v1.Secret': 'Bytes by key that not everybody shall read.',
  'core/v1.Secret.data': 'Bytes by key, in base64.',
  'core/v1.Secret.stringData': 'Text by key, for writing only: it ends up in data.',
  'core/v1.ServiceAccount': 'Who a pod is when it talks to the API.',
  'core/v1.Endpoints': 'Where a service’s pods are, in one object. EndpointSlices have taken its place.',
  'core/v1.Event': 'Something that happened to an object.',
  'events.k8s.io/v1.Event': 'Something that happened to an object.',
  'coordination.k8s.io/v1.Lease': 'Who holds something, and until when.',
  'discovery.k8s.io/v1.EndpointSlice':
    'Some of the endpoints of a service: addresses of one type that answer on the same ports. The label kubernetes.io/service-name says whose they are.',
  'discovery.k8s.io/v1.EndpointSlice.addressType': 'IPv4, IPv6 or FQDN. It does not change.',
  'discovery.k8s.io/v1.EndpointSlice.endpoints': 'At most 1000 endpoints.',
  'discovery.k8s.io/v1.EndpointSlice.ports': 'The ports on which all of these endpoints answer.',
  'discovery.k8s.io/v1.Endpoint.addresses': 'Addresses of the endpoint; readers take the first.',
  'discovery.k8s.io/v1.Endpoint.conditions':
    'Whether it is ready, serving or going away. What is left out means ready.',
  'discovery.k8s.io/v1.Endpoint.hostname': 'A label under which a headless service names this endpoint in DNS.',
  'discovery.k8s.io/v1.Endpoint.hints': 'Which zones or nodes should use it.',
  'networking.k8s.io/v1.IPAddress': 'One address taken by one object; its name is the address.',
  'networking.k8s.io/v1.ServiceCIDR': 'Ranges that services take their addresses from.',
  'meta/v1.ObjectMeta': 'What every object has: its name, labels and what the server knows of it.',
  'meta/v1.ObjectMeta.name': 'The object’s name, unique for its kind in its namespace. It does not change.',
  'meta/v1.ObjectMeta.generateName': 'The start of a name that the server completes, where name is left out.',
  'meta/v1.ObjectMeta.namespace': 'The namespace that the name is unique in.',
  'meta/v1.ObjectMeta.labels': 'Short keys and values by which objects are selected.',
  'meta/v1.ObjectMeta.annotations': 'Keys and values for whoever reads them, 256 KiB in all.',
  'meta/v1.ObjectMeta.uid': 'The server’s own name for this object, never given twice.',
  'meta/v1.ObjectMeta.resourceVersion':
    'The version of the object. Sent with an update, it makes sure that nobody else changed it meanwhile.',
  'meta/v1.ObjectMeta.finalizers': 'Who must agree before the object goes once it is deleted.',
  'meta/v1.ObjectMeta.ownerReferences': 'Objects that this one goes with.',
}

export const API_VERSION_DESCRIPTION = 'The group and version that this representation is of.'
export const KIND_DESCRIPTION = 'What kind of object this is.'
