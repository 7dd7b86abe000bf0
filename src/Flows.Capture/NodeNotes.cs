using Flows.Core.Accounting;
using Flows.Core.Facts;

namespace Flows.Capture;

/// <summary>
/// Where sources note what they learn beside flows, until the next report takes it along. Thread safe and bounded: a note that finds no
/// room is dropped and counted, so a flood of names or owners costs only names and owners.
/// </summary>
public sealed class NodeNotes
{
    // Taken every few seconds. 8,192 of some 150 bytes are about 1 MB of JSON, well below what an intake takes as one body.
    private const int NotesMax = 8192;

    private readonly Lock gate = new();
    private readonly Dictionary<(string Source, string Aspect), CoverageFact> known = [];
    private List<CoverageFact> coverage = [];
    private List<OwnerFact> owners = [];
    private List<NameFact> names = [];

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
                return coverage.Count + owners.Count + names.Count;
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
            Add(coverage, fact);
        }
    }

    public void Note(OwnerFact fact)
    {
        lock (gate)
        {
            Add(owners, fact);
        }
    }

    public void Note(NameFact fact)
    {
        lock (gate)
        {
            Add(names, fact);
        }
    }

    /// <summary>Hands over what was noted since the last call.</summary>
    public NodeFacts Take()
    {
        lock (gate)
        {
            var taken = new NodeFacts(coverage, owners, names);
            Account.Forwarded(coverage.Count + owners.Count + names.Count);
            (coverage, owners, names) = ([], [], []);
            return taken;
        }
    }

    private void Add<T>(List<T> notes, T fact)
    {
        Account.Seen();
        if (notes.Count < NotesMax)
        {
            notes.Add(fact);
        }
        else
        {
            Account.Dropped("notes_full");
        }
    }
}
