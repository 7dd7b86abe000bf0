using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture;

/// <summary>
/// Where sources note what they learn beside flows, until the next report takes it along. Thread safe and bounded: a note that finds no
/// room is dropped and counted, so a flood of names or owners costs only names and owners.
/// </summary>
public sealed class NodeNotes
{
    // Taken every few seconds. 8,192 of some 150 bytes are about 1 MB of JSON.
    private const int NotesMax = 8192;

    // Texts may be long and may be escaped. An intake takes a report of 8 MiB; the rest is room for the books and for the names of the fields.
    private const int BytesMax = 6 << 20;

    // The fields' names and numbers: an owner has the most, some 250.
    private const int BytesOfFact = 256;

    // An intake takes so many; a node whose addresses come and go faster is told as it was at the last of them.
    private const int HostsMax = 64;
    private const int BytesOfAddress = 96;
    private const int BytesOfPair = 8;

    private readonly Lock gate = new();
    private readonly Dictionary<(string Source, string Aspect), CoverageFact> known = [];
    private List<CoverageFact> coverage = [];
    private List<OwnerFact> owners = [];
    private List<NameFact> names = [];
    private List<HostFact> hosts = [];
    private int bytes;

    public NodeNotes() => Account = new HopAccount("notes", "facts", () => Waiting);

    /// <summary>The hop <c>notes</c>: seen = taken by a report + dropped (<c>notes_full</c>) + waiting here.</summary>
    public HopAccount Account { get; }

    /// <summary>The latest fact about each source and aspect, for whoever shows the state of this process.</summary>
    public IReadOnlyList<CoverageFact> Coverage
    {
        get
        {
            lock (gate)
            {
                return [.. known.Values.OrderBy(fact => fact.Source, StringComparer.Ordinal).ThenBy(fact => fact.Aspect, StringComparer.Ordinal)];
            }
        }
    }

    private long Waiting
    {
        get
        {
            lock (gate)
            {
                return coverage.Count + owners.Count + names.Count + hosts.Count;
            }
        }
    }

    /// <summary>Notes what a source sees from now on. A fact that says what the last one said is no news.</summary>
    public void Note(CoverageFact fact)
    {
        lock (gate)
        {
            var key = (fact.Source, fact.Aspect);
            if (known.TryGetValue(key, out var last) && last.Level == fact.Level && last.Detail == fact.Detail)
            {
                return;
            }

            known[key] = fact;
            Add(fact);
        }
    }

    public void Note(OwnerFact fact)
    {
        lock (gate)
        {
            Add(fact);
        }
    }

    public void Note(NameFact fact)
    {
        lock (gate)
        {
            Add(fact);
        }
    }

    /// <summary>What this node is from now on.</summary>
    public void Note(HostFact fact)
    {
        lock (gate)
        {
            Add(fact);
        }
    }

    /// <summary>Hands over what was noted since the last call.</summary>
    public NodeFacts Take()
    {
        lock (gate)
        {
            var taken = new NodeFacts(coverage, owners, names) { Hosts = hosts.Count > 0 ? hosts : null };
            Account.Forwarded(coverage.Count + owners.Count + names.Count + hosts.Count);
            (coverage, owners, names, hosts, bytes) = ([], [], [], [], 0);
            return taken;
        }
    }

    /// <summary>Takes back what a report could not carry because it found no room; the next one takes it along. In order of time it may then stand behind newer facts.</summary>
    public void Return(NodeFacts facts)
    {
        lock (gate)
        {
            Account.Forwarded(-(facts.Coverage.Count + facts.Owners.Count + facts.Names.Count + (facts.Hosts?.Count ?? 0)));
            foreach (var fact in facts.Coverage)
            {
                Add(fact, again: true);
            }

            foreach (var fact in facts.Owners)
            {
                Add(fact, again: true);
            }

            foreach (var fact in facts.Names)
            {
                Add(fact, again: true);
            }

            foreach (var fact in facts.Hosts ?? [])
            {
                Add(fact, again: true);
            }
        }
    }

    private void Add(CoverageFact fact, bool again = false) => Add(coverage, fact, JsonBytes(fact.Source) + JsonBytes(fact.Aspect) + JsonBytes(fact.Detail), again);

    private void Add(OwnerFact fact, bool again = false) => Add(
        owners,
        fact,
        JsonBytes(fact.Name) + JsonBytes(fact.Cgroup) + JsonBytes(fact.Unit) + JsonBytes(fact.ContainerId) + JsonBytes(fact.PodUid) + JsonBytes(fact.Executable),
        again);

    private void Add(NameFact fact, bool again = false) => Add(names, fact, JsonBytes(fact.Client) + JsonBytes(fact.Name) + JsonBytes(fact.Address), again);

    private void Add(HostFact fact, bool again = false)
    {
        // An address is at most 45 characters beside its time and their names.
        var textBytes = (fact.Addresses.Count * BytesOfAddress) + fact.Facts.Concat(fact.Labels).Sum(one => JsonBytes(one.Key) + JsonBytes(one.Value) + BytesOfPair);
        Add(hosts, fact, textBytes, again, HostsMax);
    }

    /// <summary>Bytes of a text in JSON at most: the writer escapes what is not plain as <c>\uXXXX</c>.</summary>
    private static int JsonBytes(string text)
    {
        const int Escaped = 6;
        var count = 0;
        foreach (var one in text)
        {
            count += char.IsAsciiLetterOrDigit(one) || one is '.' or '-' or '_' or '/' or ':' or ' ' or '@' ? 1 : Escaped;
        }

        return count;
    }

    private void Add<T>(List<T> notes, T fact, int textBytes, bool again = false, int notesMax = NotesMax)
    {
        Account.Seen(again ? 0 : 1);
        if (notes.Count < notesMax && bytes + textBytes + BytesOfFact <= BytesMax)
        {
            bytes += textBytes + BytesOfFact;
            notes.Add(fact);
        }
        else
        {
            Account.Dropped("notes_full");
        }
    }
}
