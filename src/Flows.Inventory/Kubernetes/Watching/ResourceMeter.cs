using System.Collections.Frozen;
using Flows.Core;

namespace Flows.Inventory.Kubernetes.Watching;

/// <summary>Counts what becomes of one resource. Any thread may ask.</summary>
internal sealed class ResourceMeter(string cluster, string resource, TimeSpan staleAfter, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> errors = new(StringComparer.Ordinal);
    private readonly long startedUs = time.NowUs();
    private bool synced;
    private long? heardUs;
    private long? eventUs;
    private long events;
    private long lists;
    private long watches;
    private string lastError = "";
    private string lastBadObject = "";

    /// <summary>The server said something; whatever was wrong with the connection is over.</summary>
    public void Heard()
    {
        lock (gate)
        {
            heardUs = time.NowUs();
        }
    }

    public void Event()
    {
        lock (gate)
        {
            events++;
            eventUs = time.NowUs();
        }
    }

    public void WatchBegun()
    {
        lock (gate)
        {
            watches++;
            heardUs = time.NowUs();
            lastError = "";
        }
    }

    public void Listed()
    {
        lock (gate)
        {
            lists++;
            synced = true;
            heardUs = time.NowUs();
            lastError = "";
        }
    }

    /// <param name="reason">A short name of few values.</param>
    /// <param name="text">What happened and what to do about it.</param>
    public void Failed(string reason, string text)
    {
        lock (gate)
        {
            Count(reason);
            lastError = text;
        }
    }

    /// <summary>Something expected that is worth a count.</summary>
    public void Noted(string reason)
    {
        lock (gate)
        {
            Count(reason);
        }
    }

    public void BadObject(string name, string reason)
    {
        lock (gate)
        {
            Count("object");
            lastBadObject = $"{name}: {reason}";
        }
    }

    public ResourceHealth Health(long objects)
    {
        lock (gate)
        {
            var last = heardUs ?? startedUs;
            return new()
            {
                Cluster = cluster,
                Resource = resource,
                Synced = synced,
                StaleSinceUs = time.NowUs() - last >= (long)staleAfter.TotalMicroseconds ? last : null,
                LastHeardUs = heardUs,
                LastEventUs = eventUs,
                Objects = objects,
                Events = events,
                Lists = lists,
                Watches = watches,
                Errors = errors.ToFrozenDictionary(StringComparer.Ordinal),
                LastError = lastError,
                LastBadObject = lastBadObject,
            };
        }
    }

    private void Count(string reason) => errors[reason] = errors.GetValueOrDefault(reason) + 1;
}
