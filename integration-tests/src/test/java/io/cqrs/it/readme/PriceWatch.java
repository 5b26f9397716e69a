package io.cqrs.it.readme;

import io.cqrs.core.Change;
import io.cqrs.replica.ReplicaContext;
import io.cqrs.replica.ReplicaHandler;

class PriceWatch extends ReplicaHandler<OfferRef> {
    @Override
    public OfferRef update(OfferRef row, Change change, ReplicaContext<OfferRef> context) throws Exception {
        context.fill(row);
        row.cheaper = row.price.compareTo(row.lastPrice) < 0;
        row.lastPrice = row.price;
        return row;
    }

    @Override
    public OfferRef create(Change change, ReplicaContext<OfferRef> context) throws Exception {
        OfferRef row = context.fill(context.newRow());
        row.lastPrice = row.price;
        return row;
    }

    @Override
    public void afterCommit(Change change) {
        System.err.println("tell the customers of " + change.key());
    }
}
