using Flows.Core.Facts;

namespace Flows.Core.Policy;

/// <summary>Reads protocols and ports as every Kubernetes API writes them.</summary>
internal static class PortFields
{
    /// <summary>TCP unless something is written.</summary>
    public static byte Protocol(YamlField? field) => field?.Text() switch
    {
        null or "TCP" => IpProtocol.Tcp,
        "UDP" => IpProtocol.Udp,
        "SCTP" => IpProtocol.Sctp,
        var other => throw field.Fault($"'{other}' is not TCP, UDP or SCTP"),
    };

    public static ushort Number(YamlField field)
    {
        var number = field.Number();
        return number is > 0 and <= ushort.MaxValue ? (ushort)number : throw field.Fault($"{number} is not a port from 1 to 65535");
    }

    public static string Name(YamlField field) =>
        KubernetesGrammar.IsPortName(field.Text()) ? field.Text() : throw field.Fault($"'{field.Text()}' is neither a port number nor a port's name");
}
