using Flows.Core.Identity;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>Statements that wait to be taken, in the order in which they were made, with the time at which each was learned.</summary>
internal sealed class NewsBuffer
{
    private List<IdentityInterval> identities = [];
    private List<ServicePort> ports = [];
    private List<Backend> backends = [];
    private List<ClusterObject> objects = [];
    private long learnedUs;

    public int Count => identities.Count + ports.Count + backends.Count + objects.Count;

    /// <summary>
    /// When a statement is learned: never twice the same moment and never backwards, since the one learned last holds, whatever the clock does.
    /// </summary>
    public long LearnUs(long nowUs) => learnedUs = Math.Max(nowUs, learnedUs + 1);

    public void Add(IdentityInterval said) => identities.Add(said);

    public void Add(ServicePort said) => ports.Add(said);

    public void Add(Backend said) => backends.Add(said);

    public void Add(ClusterObject said) => objects.Add(said);

    public InventoryNews Take()
    {
        var news = new InventoryNews { Identities = identities, ServicePorts = ports, Backends = backends, Objects = objects };
        (identities, ports, backends, objects) = ([], [], [], []);
        return news;
    }
}
