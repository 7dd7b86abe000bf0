using Flows.Core.Facts;
using Flows.Core.Identity;

namespace Flows.Inventory.Kubernetes.Stating;

/// <summary>
/// Makes intervals out of who holds what now: the only place that opens, corrects and closes them. Entities here have labels that compare by
/// content (<see cref="Core.Identity.LabelDictionary"/>), so that records are equal when they say the same.
/// </summary>
internal sealed class Holdings(NewsBuffer news)
{
    /// <summary>
    /// Brings what was said in line with what holds. Changed labels end the intervals and begin new ones, since policies follow labels; any other change
    /// of the entity is a correction of what was said. Addresses that are gone are closed, new ones opened.
    /// </summary>
    /// <param name="holder">Whose.</param>
    /// <param name="entity">What it is now.</param>
    /// <param name="addresses">What it holds now.</param>
    /// <param name="fromUs">Since when, for what it holds at first sight. What comes later begins now.</param>
    /// <param name="nowUs">When it was observed.</param>
    /// <param name="witnessed">False where it was found after a time without news.</param>
    public void Hold(Holder holder, Entity entity, IReadOnlyList<NetAddress> addresses, long fromUs, long nowUs, bool witnessed)
    {
        var (before, open) = (holder.Entity, holder.Open);
        holder.Entity = before is not null && before == entity ? before : entity;
        if (open.Length > 0 && before is not null && !ReferenceEquals(before, holder.Entity))
        {
            open = Equals(before.Labels, entity.Labels) ? Correct(open, entity, nowUs) : Relabel(open, before, entity, nowUs, witnessed);
        }

        if (open.Length != addresses.Count || !open.All(one => addresses.Contains(one.Address)))
        {
            foreach (var gone in open.Where(one => !addresses.Contains(one.Address)))
            {
                Close(holder.Entity, gone, nowUs, nowUs, uncertain: !witnessed);
            }

            var held = open.Where(one => addresses.Contains(one.Address)).ToArray();
            var begin = holder.WasOpen ? nowUs : fromUs;
            open = [.. held, .. addresses.Where(address => !held.Any(one => one.Address == address)).Select(address => Open(holder.Entity, address, begin, nowUs))];
        }

        holder.Open = open;
        holder.WasOpen |= open.Length > 0;
    }

    /// <summary>Corrects what was said about the entity, from the beginning of what is open.</summary>
    public void Correct(Holder holder, Entity entity, long nowUs)
    {
        if (holder.Entity is { } before && before != entity)
        {
            holder.Entity = entity;
            holder.Open = Correct(holder.Open, entity, nowUs);
        }
    }

    /// <summary>Closes all that is open.</summary>
    /// <param name="holder">Whose.</param>
    /// <param name="toUs">The end; never before the beginning.</param>
    /// <param name="nowUs">When it was observed.</param>
    /// <param name="uncertain">The end was not witnessed.</param>
    public void Close(Holder holder, long toUs, long nowUs, bool uncertain)
    {
        foreach (var one in holder.Open)
        {
            Close(holder.Entity!, one, toUs, nowUs, uncertain);
        }

        holder.Open = [];
    }

    /// <summary>States what is already over.</summary>
    public void Tell(Entity entity, NetAddress address, long fromUs, long toUs, long nowUs, bool uncertain) =>
        Close(entity, new(address, fromUs, IdentityInterval.IdOf(entity, address, 128, fromUs)), toUs, nowUs, uncertain);

    private Holding Open(Entity entity, NetAddress address, long fromUs, long nowUs)
    {
        var holding = new Holding(address, fromUs, IdentityInterval.IdOf(entity, address, 128, fromUs));
        Say(entity, holding, null, nowUs, uncertain: false);
        return holding;
    }

    private Holding[] Correct(Holding[] open, Entity entity, long nowUs)
    {
        foreach (var one in open)
        {
            Say(entity, one, null, nowUs, uncertain: false);
        }

        return open;
    }

    private Holding[] Relabel(Holding[] open, Entity before, Entity after, long nowUs, bool witnessed) =>
    [
        .. open.Select(one =>
        {
            // Two changes in one microsecond still are two intervals.
            var at = Math.Max(nowUs, one.FromUs + 1);
            Close(before, one, at, nowUs, uncertain: !witnessed);
            return Open(after, one.Address, at, nowUs);
        }),
    ];

    private void Close(Entity entity, Holding one, long toUs, long nowUs, bool uncertain) => Say(entity, one, Math.Max(toUs, one.FromUs + 1), nowUs, uncertain);

    private void Say(Entity entity, Holding one, long? toUs, long nowUs, bool uncertain) => news.Add(new IdentityInterval
    {
        IntervalId = one.IntervalId,
        Entity = entity,
        Address = one.Address,
        ValidFromUs = one.FromUs,
        ValidToUs = toUs,
        EndUncertain = uncertain,
        LearnedAtUs = news.LearnUs(nowUs),
        Origin = Origins.Kubernetes,
    });
}
