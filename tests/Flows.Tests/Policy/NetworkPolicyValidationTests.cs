using Xunit;

namespace Flows.Tests.Policy;

/// <summary>What the API server takes as a NetworkPolicy: pkg/apis/networking/validation and apimachinery's validation of metadata and selectors.</summary>
public sealed class NetworkPolicyValidationTests
{
    [Theory]
    [InlineData("metadata: {name: p, labels: {app.kubernetes.io/name: shop, empty: ''}, annotations: {Example.COM/Note: 'any text at all', b: null}}")]
    [InlineData("metadata: {name: p, creationTimestamp: null, uid: u, resourceVersion: '1', generation: 1, managedFields: [], ownerReferences: [], finalizers: []}")]
    [InlineData("metadata: {name: a.b-c.1}")]
    [InlineData("spec: {podSelector: {}, policyTypes: [Ingress, Ingress]}")]
    [InlineData("spec: {podSelector: {}, policyTypes: []}")]
    [InlineData("spec: {}")]
    [InlineData("spec: null")]
    [InlineData("spec: {podSelector: {matchLabels: null, matchExpressions: null}, ingress: null}")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: Exists, values: []}]}}")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: In, values: ['']}]}}")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: 80, endPort: 80}]}]}")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: 1, endPort: 65535, protocol: SCTP}]}]}")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: a-1}]}]}")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: abcdefghijklmno}]}]}")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.1.2.3/8}}]}]}")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/9, 10.0.0.0/9]}}]}]}")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 'FE80:0abc::/64'}}]}]}")]
    [InlineData("status: {conditions: []}")]
    public void Is_taken(string part) => Assert.Single(SmallCluster.Read(Text(part)).Policies);

    [Theory]
    [InlineData("metadata: {}", "metadata has no name")]
    [InlineData("metadata: {generateName: p-}", "metadata has no name")]
    [InlineData("metadata: {name: P}", "metadata.name 'P' is not a valid name")]
    [InlineData("metadata: {name: a..b}", "metadata.name 'a..b' is not a valid name")]
    [InlineData("metadata: {name: p, namespace: a.b}", "metadata.namespace 'a.b' is not a valid namespace")]
    [InlineData("metadata: {name: p, nmespace: a}", "metadata.nmespace is not a field")]
    [InlineData("metadata: {name: p, labels: {a b: c}}", "has 'a b', which is not a label's key")]
    [InlineData("metadata: {name: p, labels: {a: b c}}", "metadata.labels.a 'b c' is not a label's value")]
    [InlineData("metadata: {name: p, labels: {a: 1}}", "metadata.labels.a must be text")]
    [InlineData("metadata: {name: p, annotations: {a: 1}}", "metadata.annotations.a must be text")]
    [InlineData("metadata: {name: p, annotations: {a/b/c: x}}", "has 'a/b/c', which is not a label's key")]
    [InlineData("spec: {podSelector: {matchLabels: {app: '-a'}}}", "'-a' is not a label's value")]
    [InlineData("spec: {podSelector: {matchLabels: {app: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}}}", "is not a label's value")]
    [InlineData("spec: {podSelector: {matchLabels: {'a/b/c': x}}}", "is not a label's key")]
    [InlineData("spec: {podSelector: {matchLabels: {'A.b/c': x}}}", "is not a label's key")]
    [InlineData("spec: {podSelector: {matchLabels: {a: x, a: y}}}", "uplicate")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: In}]}}", "needs values for In")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: NotIn, values: []}]}}", "needs values for NotIn")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: DoesNotExist, values: [b]}]}}", "cannot have values for DoesNotExist")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: Gt, values: ['1']}]}}", "'Gt' is not In, NotIn, Exists or DoesNotExist")]
    [InlineData("spec: {podSelector: {matchExpressions: [{key: a, operator: In, values: [' b']}]}}", "is not a label's value")]
    [InlineData("spec: {podSelector: {matchExpressions: [{operator: Exists}]}}", "has no key")]
    [InlineData("spec: {podSelector: {}, policyTypes: [Ingress, Egress, Ingress]}", "spec.policyTypes may hold two entries at most")]
    [InlineData("spec: {podSelector: {}, policyTypes: [ingress]}", "'ingress' is neither Ingress nor Egress")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: '80'}]}]}", "'80' is neither a port number nor a port's name")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: a--b}]}]}", "'a--b' is neither")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: Http}]}]}", "'Http' is neither")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: abcdefghijklmnop}]}]}", "'abcdefghijklmnop' is neither")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: '1'}]}]}", "'1' is neither")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: 0}]}]}", "port 0 is not a port")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: -1}]}]}", "port -1 is not a port")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: 80.5}]}]}", "port must be text")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: 80, endPort: 65536}]}]}", "endPort 65536 is not a port")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{port: 80, endPort: '90'}]}]}", "endPort must be a whole number")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{protocol: tcp}]}]}", "'tcp' is not TCP, UDP or SCTP")]
    [InlineData("spec: {podSelector: {}, ingress: [{ports: [{protocol: ''}]}]}", "'' is not TCP, UDP or SCTP")]
    [InlineData("spec: {podSelector: {}, ingress: [{to: [{podSelector: {}}]}]}", "spec.ingress[0].to is not a field")]
    [InlineData("spec: {podSelector: {}, ingress: {}}", "spec.ingress must be a list")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {}}]}]}", "ipBlock has no cidr")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['2001:db8::/32']}}]}]}", "does not lie strictly within 10.0.0.0/8")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/7]}}]}]}", "does not lie strictly within 10.0.0.0/8")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 010.0.0.0/8}}]}]}", "'010.0.0.0/8' is not an address range")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/08}}]}]}", "'10.0.0.0/08' is not an address range")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::ffff:10.0.0.0/104'}}]}]}", "is not an address range")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0/8}}]}]}", "'10.0.0/8' is not an address range")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8, xcept: []}}]}]}", "ipBlock.xcept is not a field")]
    [InlineData("spec: {podSelector: {}, ingress: [{from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]}]}", "ipBlock cannot stand beside a selector")]
    public void Is_refused(string part, string expected) => Assert.Contains(expected, SmallCluster.FaultOf(Text(part)), StringComparison.Ordinal);

    private static string Text(string part)
    {
        var rest = part.StartsWith("metadata", StringComparison.Ordinal) ? part : $"metadata: {{name: p}}\n{part}";
        return $"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n{rest}\n";
    }
}
