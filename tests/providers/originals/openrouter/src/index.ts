import { OpenRouterProvider } from './provider';
export default OpenRouterProvider;
