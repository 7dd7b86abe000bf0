using Flows.Inventory.Kubernetes.Reading;
using Xunit;

namespace Flows.Tests.Inventory.Kubernetes;

public sealed class ContainerPortsTests
{
    private static string Ports(string spec) => string.Join(' ', Read(spec, new TextPool()).Ports.Select(port => $"{port.Key}={port.Value}"));

    private static PodObject Read(string spec, TextPool pool) =>
        (PodObject)PodReader.Read(System.Text.Encoding.UTF8.GetBytes($$"""{"metadata":{"uid":"u","name":"p","namespace":"n"},"spec":{{spec}}}"""), pool);

    [Theory]
    [InlineData("{}", "")]
    [InlineData("""{"containers":null}""", "")]
    [InlineData("""{"containers":[{"name":"a"},{"name":"b","ports":null},{"name":"c","ports":[]}]}""", "")]
    [InlineData("""{"containers":[{"name":"a","ports":[{"containerPort":80},{"name":"http","containerPort":8080}]}]}""", "http/tcp=8080")]
    [InlineData("""{"containers":[{"ports":[{"name":"dns","containerPort":53,"protocol":"UDP","hostPort":53}]}],"initContainers":[{"ports":[{"name":"a","containerPort":1,"protocol":"SCTP"}]}]}""", "a/sctp=1 dns/udp=53")]
    [InlineData("""{"containers":[{"ports":[{"name":"x","containerPort":1}]},{"ports":[{"name":"x","containerPort":2},{"name":"x","containerPort":3,"protocol":"UDP"}]}]}""", "x/tcp=1 x/udp=3")]
    public void Named_ports_of_all_containers_are_read(string spec, string ports) => Assert.Equal(ports, Ports(spec));

    [Fact]
    public void Pods_of_one_workload_share_one_map()
    {
        const string Spec = """{"containers":[{"ports":[{"name":"http","containerPort":8080}]}]}""";
        var pool = new TextPool();
        Assert.Same(Read(Spec, pool).Ports, Read(Spec, pool).Ports);
    }
}
