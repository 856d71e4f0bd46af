#!/bin/sh
# Makes an installation's secrets once, in the folder where an overlay's kustomization.yaml reads them:
#   sh deploy/kubernetes/secrets.sh deploy/kubernetes/local
set -eu
umask 077
mkdir -p "$1/secrets" && cd "$1/secrets"
[ ! -e migrate.env ] || exit 0

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
url() { echo "DATABASE_URL=postgres://$1:$2@${POSTGRES:-postgres:5432/craftista?sslmode=disable}"; }
admin=$(random) auth=$(random) product=$(random) recommendation=$(random) key="INTERNAL_API_KEY=$(random)"
echo "POSTGRES_PASSWORD=$admin" >postgres.env
{ url craftista_auth "$auth"; echo "$key"; echo "KEYS_SECRET=$(random)"; } >auth.env
echo "$key" >frontend.env
url craftista_product "$product" >product.env
url craftista_recommendation "$recommendation" >recommendation.env
{
	url postgres "$admin"
	echo "AUTH_DB_PASSWORD=$auth"
	echo "PRODUCT_DB_PASSWORD=$product"
	echo "RECOMMENDATION_DB_PASSWORD=$recommendation"
} >migrate.env
