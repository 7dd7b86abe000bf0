using Flows.Core.Identity;
using Flows.Core.Map;

namespace Flows.Store;

/// <summary>Answers questions about the sealed files of a store, as they were when it was opened. Not thread safe.</summary>
public sealed class StoreReader : IDisposable
{
    /// <exception cref="Flows.Core.FlowsException">There is no store in the directory.</exception>
    public static StoreReader Open(string directory) => throw new NotImplementedException();

    /// <summary>Edges over [since, until), one per distinct source, destination, service, protocol and ports, in a stable order.</summary>
    public IReadOnlyList<Edge> Edges(long sinceUs, long untilUs) => throw new NotImplementedException();

    /// <summary>Every statement of the ledger, in the order learned.</summary>
    public IReadOnlyList<IdentityInterval> Identities() => throw new NotImplementedException();

    public void Dispose() => throw new NotImplementedException();
}
