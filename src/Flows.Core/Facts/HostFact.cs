namespace Flows.Core.Facts;

/// <summary>An address of a host.</summary>
/// <param name="Address">Canonical text.</param>
/// <param name="SinceUs">When the kernel gave it to an interface, as far as that can be known; µs since the Unix epoch, UTC.</param>
public sealed record HostAddress(string Address, long SinceUs);

/// <summary>
/// What a machine knows of itself at one moment, all of it: an address that is not in here is not, or no longer, the machine's. Who is speaking is not said in
/// here but by the report that carries it: its node and scope.
/// </summary>
/// <param name="Kind"><c>host</c>, or <c>vm</c> where a hypervisor is below.</param>
/// <param name="Machine">Hash of the machine id, 16 hexadecimal digits. machine-id(5) asks not to publish the id itself.</param>
/// <param name="Addresses">Of all interfaces, tunnels and bridges too; without those that every machine has.</param>
/// <param name="Facts">What is known besides, by names such as <c>os</c>, <c>kernel</c>, <c>cloud_region</c>: lower-case letters, digits, underscores.</param>
/// <param name="Labels">What the machine's administrator calls it, from <c>/etc/flows/labels</c>.</param>
/// <param name="AtUs">When this was so, µs since the Unix epoch, UTC.</param>
public sealed record HostFact(
    string Kind, string Machine, IReadOnlyList<HostAddress> Addresses, IReadOnlyDictionary<string, string> Facts, IReadOnlyDictionary<string, string> Labels, long AtUs)
{
    /// <summary>A router with many tunnels has hundreds; what has more is no host.</summary>
    public const int AddressesMax = 1024;

    public const int FactsMax = 32;

    public const int LabelsMax = 64;

    /// <summary>Characters of a fact's or label's text.</summary>
    public const int TextMax = 253;

    /// <summary>A label's key is a DNS name, a slash and a name of 63 characters.</summary>
    public const int LabelKeyMax = 253 + 1 + 63;

    /// <summary>How a fact is called among the labels of the entity: <c>host.os</c>. No label of an administrator begins so.</summary>
    public const string FactPrefix = "host.";
}
