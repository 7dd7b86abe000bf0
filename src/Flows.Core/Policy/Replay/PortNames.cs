using System.Globalization;
using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Core.Policy;

/// <summary>The ports that a set speaks of by name, as the ledger knows them of a pod: <see cref="Entity.Ports"/>.</summary>
internal sealed class PortNames(PolicySet set)
{
    private readonly IReadOnlyList<(string Name, byte Protocol)> asked =
    [
        .. set.Policies.SelectMany(policy => policy.AllRules()).SelectMany(rule => rule.Rule.Ports).Where(port => port.Name is not null)
            .Select(port => (port.Name!, port.Protocol)).Distinct().Order(),
    ];

    /// <summary>Those of them that the entity has; others cannot make a difference.</summary>
    public IReadOnlyList<NamedPort> Of(Entity entity) => asked.Count == 0 || entity.Ports.Count == 0 ? [] :
    [
        .. asked.Where(port => entity.Ports.ContainsKey(KeyOf(port.Name, port.Protocol)))
            .Select(port => new NamedPort(port.Name, port.Protocol, ushort.Parse(entity.Ports[KeyOf(port.Name, port.Protocol)], NumberStyles.None, CultureInfo.InvariantCulture))),
    ];

    private static string KeyOf(string name, byte protocol) => $"{name}/{IpProtocol.NameOf(protocol)}";
}
