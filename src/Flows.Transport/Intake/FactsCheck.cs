using Flows.Core;
using Flows.Core.Facts;

namespace Flows.Transport.Intake;

/// <summary>
/// Checks what a stranger's report says of coverage, owners and names: how much, how long, and that times and addresses are such. Texts are data and are
/// kept as they are, control characters too; whoever shows them escapes them. A report that fails is refused whole: a collector of ours makes none such.
/// </summary>
internal static class FactsCheck
{
    /// <summary>Facts of one kind, as many as a collector keeps between two reports.</summary>
    public const int FactsMax = 8192;

    /// <summary>What a node says of itself between two reports, whose addresses come and go all the time.</summary>
    public const int HostsMax = 64;

    // A sentence or two for people.
    private const int DetailCharactersMax = 1024;

    // IFNAMSIZ is 16; with the name of a namespace before it some 280.
    private const int AspectCharactersMax = 300;

    // RFC 1035 2.3.4.
    private const int NameCharactersMax = 253;

    // Linux's PATH_MAX: cgroup paths and executables.
    private const int PathCharactersMax = 4096;

    // The last second of 9999, beyond which a store holds no time.
    private static readonly long LatestUs = UnixTime.ToUs(DateTimeOffset.MaxValue);

    /// <summary>What is wrong; null when nothing is.</summary>
    public static string? Problem(NodeFacts facts) =>
        facts.Coverage.Count > FactsMax || facts.Owners.Count > FactsMax || facts.Names.Count > FactsMax ? $"the account report has more than {FactsMax} facts of one kind"
        : !facts.Coverage.All(IsCoverage) ? "a coverage fact has a bad source, an unknown level, a text that is too long, or no time"
        : !facts.Owners.All(IsOwner) ? "an owner has no id, a bad kind, a text that is too long, or no time"
        : !facts.Names.All(IsName) ? "a name is empty or too long, or its client or address is none, or it has no time"
        : facts.Hosts is { Count: > HostsMax } ? $"the account report says more than {HostsMax} times what its node is"
        : facts.Hosts?.All(IsHost) == false ? "what the node says of itself has another kind than host or vm, too many addresses, facts or labels, a text that is too long, or no time"
        : null;

    /// <summary>Whose addresses these are is not for the fact to say: the report's node.</summary>
    private static bool IsHost(HostFact? fact) =>
        fact is { Kind: "host" or "vm", Machine.Length: 16 } && fact.Machine.All(char.IsAsciiHexDigitLower) && IsTime(fact.AtUs)
        && fact.Addresses.Count <= HostFact.AddressesMax
        && fact.Addresses.All(one => one is not null && NetAddress.TryParse(one.Address, out _) && IsTime(one.SinceUs))
        && fact.Facts.Count <= HostFact.FactsMax && fact.Facts.All(one => AccountCheck.IsWord(one.Key) && IsText(one.Value, HostFact.TextMax))
        && fact.Labels.Count <= HostFact.LabelsMax && fact.Labels.All(one => IsLabel(one.Key, one.Value));

    /// <summary>A label that looks like a fact could pass for one; U+0000 and U+001F are in no label, as in an inventory's lines.</summary>
    private static bool IsLabel(string key, string? value) =>
        IsText(key, HostFact.LabelKeyMax, mayBeEmpty: false) && IsText(value, HostFact.TextMax) && !key.StartsWith(HostFact.FactPrefix, StringComparison.Ordinal)
        && !key.AsSpan().ContainsAny('\0', '\u001f') && !value.AsSpan().ContainsAny('\0', '\u001f');

    private static bool IsCoverage(CoverageFact? fact) =>
        fact is not null && AccountCheck.IsWord(fact.Source) && IsText(fact.Aspect, AspectCharactersMax, mayBeEmpty: false)
        && Enum.IsDefined(fact.Level) && IsText(fact.Detail, DetailCharactersMax) && IsTime(fact.AtUs);

    /// <summary>Kinds are words, not a fixed set: a collector may be newer than its server and tell owners apart that this one does not know.</summary>
    private static bool IsOwner(OwnerFact? fact) =>
        fact is { OwnerId: not 0 } && AccountCheck.IsWord(fact.Kind) && IsText(fact.Name, PathCharactersMax) && IsText(fact.Cgroup, PathCharactersMax)
        && IsText(fact.Unit, PathCharactersMax) && IsText(fact.ContainerId, PathCharactersMax) && IsText(fact.PodUid, PathCharactersMax)
        && IsText(fact.Executable, PathCharactersMax) && fact.Pid is null or >= 0 && IsTime(fact.SeenAtUs);

    private static bool IsName(NameFact? fact) =>
        fact is not null && IsText(fact.Name, NameCharactersMax, mayBeEmpty: false) && NetAddress.TryParse(fact.Client, out _) && NetAddress.TryParse(fact.Address, out _)
        && IsTime(fact.SeenAtUs);

    private static bool IsText(string? text, int charactersMax, bool mayBeEmpty = true) => text is not null && text.Length <= charactersMax && (mayBeEmpty || text.Length > 0);

    private static bool IsTime(long us) => us >= 0 && us <= LatestUs;
}
